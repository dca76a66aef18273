"""`emag-pipeline deviations`: a table for people, JSON for programs.

The JSON is a list of {id, account, check, emag_offer_id, reason, accepted_by, accepted_at, expires_at, withdrawn_at,
is_active}; emag_offer_id null stands for all of the account, withdrawn_at null for never; times are ISO 8601 in UTC.
Keys are added, never renamed.
"""

import json
from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table

from emag_pipeline.console import console
from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.review.deviations import Deviation
from emag_pipeline.review.deviations import deviations as accepted_deviations
from emag_pipeline.review.deviations import withdraw as withdraw_deviation
from emag_pipeline.settings import load_settings
from emag_pipeline.wording import iso


def deviations(
    account: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this account; repeat it for more.")
    ] = None,
    also_ended: Annotated[bool, typer.Option("--all", help="Also those that expired or were withdrawn.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    withdraw: Annotated[int | None, typer.Option(metavar="ID", help="End this one now, and show nothing.")] = None,
) -> None:
    """Show which findings of checks are accepted, by whom, why and until when; or end one before its time."""
    settings = load_settings()
    names = [settings.account(name).name for name in account or []] or [one.name for one in settings.accounts]
    with looked_into(settings) as database:
        if withdraw is not None:
            ended = withdraw_deviation(database, withdraw)
            said = f"{ended.account}: {ended.check} no longer accepts {_what(ended)}, from its next evaluation on"
            typer.echo(f"{said}: what it finds there counts again")
            return
        found = accepted_deviations(database, names, also_ended=also_ended)
    if as_json:
        typer.echo(json.dumps([_described(one) for one in found], indent=2, ensure_ascii=False))
    else:
        console().print(_table(found) if found else "nothing is accepted")


def _described(one: Deviation) -> dict[str, object]:
    return {
        "id": one.deviation_id,
        "account": one.account,
        "check": one.check,
        "emag_offer_id": one.offer_id,
        "reason": one.reason,
        "accepted_by": one.accepted_by,
        "accepted_at": iso(one.accepted_at),
        "expires_at": iso(one.expires_at),
        "withdrawn_at": iso(one.withdrawn_at),
        "is_active": one.is_active,
    }


def _table(found: list[Deviation]) -> Table:
    table = Table("id", "account", box=None, pad_edge=False)
    for heading in ("check", "offer", "until", "by", "reason"):
        table.add_column(heading, overflow="fold")  # a narrow terminal cuts no name
    for one in found:
        table.add_row(
            str(one.deviation_id), one.account, one.check, _offer(one), _until(one), one.accepted_by, one.reason
        )
    return table


def _what(one: Deviation) -> str:
    return "whatever it finds" if one.offer_id is None else f"offer {one.offer_id}"


def _offer(one: Deviation) -> str:
    return "all offers" if one.offer_id is None else str(one.offer_id)


def _until(one: Deviation) -> str:
    """The last day on which it holds."""
    if one.withdrawn_at is not None:
        return f"withdrawn {one.withdrawn_at:%Y-%m-%d}"
    return f"{one.expires_at - timedelta(seconds=1):%Y-%m-%d}"
