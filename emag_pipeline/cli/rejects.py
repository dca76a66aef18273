"""`emag-pipeline rejects`: a table for people, JSON for programs.

The JSON is a list of {account, sync_id, page, emag_offer_id, reason, payload, rejected_at}; the payload is the row as
read, as text; page 0 stands for a read by id; times are ISO 8601 in UTC. Keys are added, never renamed.
"""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from emag_pipeline.databases import attached
from emag_pipeline.db.quarantine import Rejected, newest
from emag_pipeline.settings import load_settings


def rejects(
    account: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this account; repeat it for more.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows at most.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with the rows as read.")] = False,
) -> None:
    """Show the quarantine: rows of each account's newest sync that cannot be represented, and why.

    A bad row costs that row only: an offer that was published before keeps its last good state, flagged.
    """
    settings = load_settings()
    names = [settings.account(name).name for name in account or []] or [one.name for one in settings.accounts]
    with attached(settings) as database:
        rows = newest(database, names, limit)
    if as_json:
        typer.echo(json.dumps([_described(row) for row in rows], indent=2, ensure_ascii=False))
    else:
        Console(soft_wrap=True).print(_table(rows) if rows else "no row is in quarantine", markup=False)


def _described(row: Rejected) -> dict[str, object]:
    return {
        "account": row.account,
        "sync_id": str(row.sync_id),
        "page": row.page,
        "emag_offer_id": row.emag_offer_id,
        "reason": row.reason,
        "payload": row.payload,
        "rejected_at": row.rejected_at.isoformat(),
    }


def _table(rows: list[Rejected]) -> Table:
    table = Table("account", "page", "offer", "reason", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row.account, str(row.page or "by id"), str(row.emag_offer_id or "no id"), row.reason)
    return table
