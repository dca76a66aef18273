"""`emag-pipeline sync`: progress for people, a summary as JSON for programs.

The JSON is an object `{"accounts": [account, …]}`. An account has:

account, run_id      its name, and the Dagster run that was executed
exit_code            what this account alone would have ended with
error                null, or why it was not published and what to do, in one line
warning              null, or why its marts, checks or the reference data do not follow what was published; `exit_code`
                     is not 0 then either
sync                 null when the run never held the account's lease, else {sync_id, status, attempt, round, pages,
                     offers, created, updated, unchanged, deleted, rejected, seconds, offers_per_second}

Keys are added, never renamed.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from emag_pipeline.console import Narrator
from emag_pipeline.databases import told_alike
from emag_pipeline.errors import Interrupted
from emag_pipeline.local.programs import sandbox_beside
from emag_pipeline.local.progress import view_on
from emag_pipeline.local.refresh import RefreshInterrupted, RefreshOutcome, refresh
from emag_pipeline.local.stop_signals import StopSignals
from emag_pipeline.local.surroundings import Surroundings, require_same_marketplaces, surroundings
from emag_pipeline.local.words import invented_words, outcome_words, source_words, unknown_accounts
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.wording import goes_on

#: Which exit code speaks for all when accounts end differently: what needs a person first.
_WORST_FIRST = (5, 3, 2, 1, 4)


def sync(
    account: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Refresh this account; repeat it for more. Default: all.")
    ] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Read every page, also those that an interrupted sync has read already.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary as JSON; progress goes to stderr.")] = False,
) -> None:
    """Refresh accounts now: read every page, audit, publish, bring the marts up to date.

    The same Dagster job that schedules run, recorded in the same place, with or without a running `up`. Starts the
    embedded PostgreSQL and the sandbox for as long as it takes if nothing else is configured. Ctrl-C stops it; the
    next sync goes on after the last durable page if there is one, or reads anew with --anew.

    Says when an account is published, and computes its marts and checks then, after it has read the marketplace's
    categories, VAT rates and handling times where they are missing or old. What of all this could not be done is told,
    and makes the exit code 1 (a retry may help) or 5 (it cannot): the offers are published all the same.
    """
    settings = load_settings()
    accounts = [settings.account(name).name for name in dict.fromkeys(account or [])]
    narrator = Narrator(stderr=as_json)
    settings.require_marketplace()
    narrator.say(source_words(settings))
    if invented := invented_words(settings):
        narrator.say(invented)
    for what, remedy in unknown_accounts(settings):
        narrator.say(f"{what}. {remedy}.")
    try:
        done = _refresh(settings, accounts or [one.name for one in settings.accounts], narrator, anew=anew)
    except Interrupted as end:
        _tell_interrupted(end.done if isinstance(end, RefreshInterrupted) else (), narrator, as_json=as_json)
        end.is_told = True
        raise
    _tell(done, narrator, as_json=as_json)
    raise typer.Exit(_exit_code(done))


def _tell(done: Sequence[RefreshOutcome], narrator: Narrator, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"accounts": [_account(one) for one in done]}, indent=2, ensure_ascii=False))
        return
    for one in done:
        narrator.say(outcome_words(one.account, one.said, one.sync))
        for warning in one.warnings:
            narrator.say(warning)


def _tell_interrupted(done: Sequence[RefreshOutcome], narrator: Narrator, *, as_json: bool) -> None:
    """What was published before the signal is published, and said."""
    published = [one for one in done if one.is_published]
    if as_json and done:
        _tell(done, narrator, as_json=True)
    elif published:
        _tell(published, narrator, as_json=False)
    if published and len(published) == len(done):
        narrator.say("interrupted after the publish; marts and checks follow with the next `emag-pipeline sync`")
    elif done:
        left = [one.sync for one in done if not one.is_published]
        pages = [sync.pages_left for sync in left if sync is not None]
        begins = goes_on(max(pages) if len(pages) == len(left) else None)
        narrator.say(f"interrupted; the next `emag-pipeline sync` {begins}")
    else:  # the runs did not end in time: nobody knows
        narrator.say("interrupted; `emag-pipeline status` tells how far it came, the next `emag-pipeline sync` goes on")


def _refresh(settings: Settings, accounts: Sequence[str], narrator: Narrator, *, anew: bool) -> list[RefreshOutcome]:
    with (
        StopSignals() as signals,
        surroundings(settings, waits=narrator.say) as around,
        _checked(around, settings, accounts),
        sandbox_beside(settings, around.environment),
        view_on(narrator, settings.progress_interval_seconds) as view,
        told_alike(settings),
    ):
        return refresh(settings, around, accounts, view.show, signals.wait, narrator.say, anew=anew)


@contextmanager
def _checked(around: Surroundings, settings: Settings, accounts: Sequence[str]) -> Iterator[None]:
    """Before anything is started that would read a marketplace."""
    require_same_marketplaces(around.databases, settings, accounts)
    yield


def _exit_code(done: Sequence[RefreshOutcome]) -> int:
    codes = {one.exit_code for one in done}
    return next((code for code in _WORST_FIRST if code in codes), max(codes, default=0))


def _account(one: RefreshOutcome) -> dict[str, Any]:
    error = one.said or None
    return {
        "account": one.account,
        "run_id": one.run_id,
        "exit_code": one.exit_code,
        "error": error,
        "warning": "; ".join(one.warnings) or None,
        "sync": _sync(one),
    }


def _sync(one: RefreshOutcome) -> dict[str, Any] | None:
    if one.sync is None:
        return None
    seconds, worked = one.sync.elapsed_seconds, one.sync.worked_seconds
    return {
        "sync_id": str(one.sync.sync_id),
        "status": one.sync.status,
        "attempt": one.sync.attempt,
        "round": one.sync.round,
        "pages": one.sync.pages_done,
        "offers": one.sync.offers_done,
        "created": one.sync.offers_created,
        "updated": one.sync.offers_updated,
        "unchanged": one.sync.offers_unchanged,
        "deleted": one.sync.offers_deleted,
        "rejected": one.sync.offers_rejected,
        "seconds": round(seconds, 3),
        "offers_per_second": round(one.sync.offers_done / worked, 1) if worked else None,
    }
