"""`emag-pipeline accept`."""

import getpass
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.review.checks import not_found
from emag_pipeline.review.deviations import ACCEPTABLE
from emag_pipeline.review.deviations import accept as accept_deviation
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store.engine import Database


def accept(
    check: Annotated[str, typer.Argument(metavar="CHECK", help=f"One of {', '.join(ACCEPTABLE)}.")],
    account: Annotated[str, typer.Option(metavar="NAME", help="The account whose finding it is.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it is right as it is, for the next reviewer.")],
    until: Annotated[datetime, typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="The last day (UTC).")],
    offer: Annotated[
        list[int] | None, typer.Option(metavar="ID", help="Only this offer; repeat it for more. Else all of them.")
    ] = None,
) -> None:
    """Accept what a check finds, for a time: it is still counted and shown, and does not fail the check.

    After its last day the check fails on it again. See what is accepted with `emag-pipeline deviations`.
    """
    settings = load_settings()
    name, last = settings.account(account).name, until.date()
    with looked_into(settings) as database:
        accept_deviation(database, name, check, offer or [], reason=reason, until=last, by=getpass.getuser())
        missed = _not_found(database, settings, name, check, offer or [])
    what = f"offer {', '.join(map(str, offer))}" if offer else "whatever it finds"
    typer.echo(f"{name}: {check} accepts {what} until {last}, from its next evaluation on")
    if missed:
        none = f"{name}: {check} finds nothing on offer {', '.join(map(str, missed))} now"
        typer.echo(
            f"{none}: what it may find there by then is accepted; `emag-pipeline deviations --withdraw ID` ends it "
            "where another offer was meant"
        )


def _not_found(database: Database, settings: Settings, account: str, check: str, offers: Sequence[int]) -> list[int]:
    if not offers:
        return []
    currency = settings.account(account).marketplace.currency
    return not_found(database, check, account, offers, currency=currency, price_move=settings.price_move)
