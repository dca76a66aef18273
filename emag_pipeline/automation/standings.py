"""How all accounts stand now."""

import dagster as dg

from emag_pipeline import runs
from emag_pipeline.automation.past_runs import past_runs
from emag_pipeline.db.engine import Database
from emag_pipeline.db.status import account_statuses, sync_progress
from emag_pipeline.monitoring.standing import Standing
from emag_pipeline.settings import Settings


def standings(database: Database, instance: dg.DagsterInstance, settings: Settings) -> list[Standing]:
    """One standing an account, in the order of the settings.

    Dagster is asked for runs under way first, and once more after all else: one that ends or begins meanwhile, such as
    the retry of one that was killed, then still counts as under way, and nothing is said of it yet.
    """
    under_way = runs.accounts_under_way(instance)
    looks = [
        (status, past_runs(instance, status.account, status.last_publish_at), sync_progress(database, status.account))
        for status in account_statuses(database, [account.name for account in settings.accounts])
    ]
    under_way |= runs.accounts_under_way(instance)
    found = []
    for status, past, newest in looks:
        is_running = newest is not None and newest.status == "running" and not past.failures
        is_under_way = status.account in under_way or past.awaits_retry or is_running
        found.append(Standing(status, newest, past, is_under_way))
    return found
