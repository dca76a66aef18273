"""Checks of severity ERROR that do not pass: each is an incident under its own name, until it passes.

Those that another incident tells of already have none: a refused audit is `refused`, an account that is not fresh is
`stale`.
"""

import dagster as dg

from emag_pipeline.dagster_runs.metadata import record
from emag_pipeline.monitoring import incidents
from emag_pipeline.monitoring.incidents import IncidentFinding
from emag_pipeline.refresh.dagster import offers
from emag_pipeline.review.checks import OFFERS_ARE_FRESH
from emag_pipeline.review.dagster import freshness
from emag_pipeline.settings import Settings
from emag_pipeline.store import check_results
from emag_pipeline.store.check_results import CheckResult
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.status import account_statuses

_FRESH = dg.AssetCheckKey(offers.key, OFFERS_ARE_FRESH.name)


def note_freshness(database: Database, settings: Settings) -> None:
    """Keep the answers of offers_are_fresh, which change by themselves while nothing runs. Raises DatabaseUnavailable.

    In Dagster only a run answers it: a sensor's answer would be stored without a run, and a second one never.
    """
    for status in account_statuses(database, [account.name for account in settings.accounts]):
        result = freshness(database, status, settings).result()
        record(database, _FRESH, result, status.account)


def note_findings(database: Database, settings: Settings) -> list[str]:
    """Open, renew and close the incidents of checks. Returns the names of all that have answered.

    Raises DatabaseUnavailable.
    """
    answered = check_results.check_results(database, settings.subjects)
    results = [one for one in answered if not one.is_told_by_its_account]
    for result in results:
        if result.passed:
            incidents.close(database, result.name, well_at=result.checked_at)
        elif result.severity == "ERROR":
            incidents.note(database, _finding(result))
    return [result.name for result in results]


def _finding(result: CheckResult) -> IncidentFinding:
    return IncidentFinding(result.name, "red", result.sentence, result.remedy.rstrip("."), run_id=result.run_id)
