"""`emag-pipeline rejects`: a table for people, JSON for programs.

The JSON is a list of {account, sync_id, kind, page, emag_offer_id, reason, payload, rejected_at}:

kind       `quarantined` (the row is kept out), `unreadable field` (the offer is taken, the fields that the reason names
           keep their published values) or `unreadable position` (the marketplace fails on every page that holds it);
           the last two are known while the sync's scan is staged
page       0 for a read by id
payload    the row as read, as text; null for a position. It may hold personal data (docs/privacy.md)

Times are ISO 8601 in UTC. Keys are added, never renamed.
"""

import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from emag_pipeline.console import console
from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.settings import load_settings
from emag_pipeline.sync.quarantine import Rejected, RejectReason, newest, reasons
from emag_pipeline.wording import counted, iso


def rejects(
    account: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this account; repeat it for more.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows at most.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with the rows as read.")] = False,
) -> None:
    """Show which rows of each account's newest sync were not read, or not in full, and why.

    A bad row costs that row only: an offer that was published before keeps its last good state, flagged. A bad field
    costs that field only.
    """
    settings = load_settings()
    names = [settings.account(name).name for name in account or []] or [one.name for one in settings.accounts]
    with looked_into(settings) as database:
        rows = newest(database, names, limit)
        why = reasons(database, names) if rows and not as_json else []
    if as_json:
        typer.echo(json.dumps([_described(row) for row in rows], indent=2, ensure_ascii=False))
    else:
        console().print(_picture(rows, why) if rows else "no row is in quarantine")


def _described(row: Rejected) -> dict[str, object]:
    return {
        "account": row.account,
        "sync_id": str(row.sync_id),
        "kind": row.kind,
        "page": row.page,
        "emag_offer_id": row.emag_offer_id,
        "reason": row.reason,
        "payload": row.payload,
        "rejected_at": iso(row.rejected_at),
    }


def _picture(rows: Sequence[Rejected], why: Sequence[RejectReason]) -> Group:
    """The rows; below them how many there are for each reason."""
    total = sum(reason.rows for reason in why)
    shown = counted(total, "row") + ("" if total == len(rows) else f", of which --limit shows {len(rows):,}")
    return Group(_table(rows), Text(f"\n{shown}:"), _summary(why))


def _table(rows: Sequence[Rejected]) -> Table:
    table = Table("account", "page", "offer", "kind", box=None, pad_edge=False)
    table.add_column("reason", overflow="fold")
    for row in rows:
        cells = (row.account, str(row.page or "by id"), str(row.emag_offer_id or "no id"), row.kind, row.reason)
        table.add_row(*map(Text, cells))
    return table


def _summary(why: Sequence[RejectReason]) -> Table:
    table = Table("account", "rows", box=None, pad_edge=False)
    for heading in ("reason", "first"):
        table.add_column(heading, overflow="fold")
    for reason in why:
        table.add_row(*map(Text, (reason.account, f"{reason.rows:,}", reason.words, reason.example)))
    return table
