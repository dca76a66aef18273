"""`emag-pipeline approve`, `discard`, `rejects`, `accept` and `deviations`: decisions that a person makes."""

import getpass
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from pydantic import Field
from rich.console import Group
from rich.table import Table
from rich.text import Text

from emag_pipeline.cli.arguments import (
    AccountsOption,
    JsonOption,
    RefusedSyncArgument,
    SyncArgument,
    chosen_accounts,
    whole_number,
)
from emag_pipeline.console import console
from emag_pipeline.json_output import JsonModel, Moment, json_text
from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.review.checks import not_found
from emag_pipeline.review.deviations import ACCEPTABLE, Deviation
from emag_pipeline.review.deviations import accept as accept_deviation
from emag_pipeline.review.deviations import deviations as accepted_deviations
from emag_pipeline.review.deviations import withdraw as withdraw_deviation
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.quarantine import Rejected, RejectReason, newest, reasons
from emag_pipeline.wording import counted

if TYPE_CHECKING:
    from emag_pipeline.sync.approval import Discarded


def approve(
    sync_id: RefusedSyncArgument,
    even_if_empty: Annotated[
        bool, typer.Option("--even-if-empty", help="Approve even a scan that contains no offer to publish.")
    ] = False,
) -> None:
    """Accept a scan that the audit refused: the next run publishes it without reading its pages again.

    Only what is a matter of judgement can be approved, such as many missing offers or many quarantined rows, and never
    an incomplete scan. Missing offers are still looked up one by one before they are marked as deleted.
    """
    from emag_pipeline.sync.approval import approve as approve_sync  # loads the HTTP client

    settings = load_settings()
    with looked_into(settings) as database:
        account = approve_sync(database, settings, sync_id, getpass.getuser(), even_if_empty=even_if_empty)
    now = f"emag-pipeline sync --account {account}"
    typer.echo(f"{account}: approved; the next scheduled run publishes it, or `{now}` does it now")


class DiscardedJson(JsonModel):
    """The staged pages that were discarded, or would be."""

    sync_id: UUID = Field(description="The sync.")
    account: str = Field(description="Its account.")
    pages: int = Field(
        description="Staged responses, as many as rows of `emag_scan_pages`. They overlap, and some only check others, "
        "so there are more than `pages` of `sync`."
    )
    offers: int = Field(description="Staged offers.")
    dry_run: bool = Field(description="Whether it only looked.")


def discard(
    sync_id: SyncArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be discarded.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Discard the staged pages of a failed or refused sync: the next run reads the whole catalogue again.

    Published offers stay as they are, and so do the sync's ledger row and its quarantine. A sync that is running or
    published is left alone. Only needed if a scan is to be neither resumed nor approved: after a failed audit or
    publish, the next run reads everything again anyway.
    """
    from emag_pipeline.sync.approval import discard as discard_scan  # loads the HTTP client

    settings = load_settings()
    with looked_into(settings) as database:
        done = discard_scan(database, sync_id, getpass.getuser(), dry_run=dry_run)
    if as_json:
        found = {"account": done.account, "pages": done.pages, "offers": done.offers}
        typer.echo(json_text(DiscardedJson(sync_id=sync_id, dry_run=dry_run, **found)))
    else:
        typer.echo(_discarded_words(done, sync_id, dry_run))


def _discarded_words(done: "Discarded", sync_id: UUID, dry_run: bool) -> str:
    what = f"{done.account}, sync {sync_id}: {counted(done.pages, 'staged page')} with {counted(done.offers, 'offer')}"
    if dry_run:
        return f"{what} would be discarded; the next run would read the whole catalogue again"
    now = f"emag-pipeline sync --account {done.account}"
    return f"{what} discarded; the next scheduled run reads the whole catalogue again, or `{now}` does it now"


class RejectJson(JsonModel):
    """A row of an account's newest sync that was not read, or not completely."""

    account: str = Field(description="The account.")
    sync_id: UUID = Field(description="The sync that read it.")
    kind: str = Field(
        description="`quarantined`: the row is not published. `unreadable field`: the offer is published, and the "
        "fields that the reason names keep their published values. `unreadable position`: the marketplace fails on "
        "every page that contains it. The last two are known while the sync's scan is staged."
    )
    page: int = Field(description="The page; 0 for a read by id.")
    emag_offer_id: int | None = Field(description="The offer; null if its id could not be read.")
    reason: str = Field(description="What is wrong with it.")
    payload: str | None = Field(
        description="The row as read, as text; null for a position. It may contain personal data (docs/privacy.md)."
    )
    rejected_at: Moment = Field(description="When it was rejected.")


def rejects(
    account: AccountsOption = None,
    limit: Annotated[int, typer.Option(metavar="NUMBER", parser=whole_number, help="The most rows to show.")] = 100,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, including the rows as read (docs/json-output.md).")
    ] = False,
) -> None:
    """Show which rows of each account's newest sync were not read, or not completely, and why.

    A bad row affects only that row: an offer that was published before keeps its last good state and is flagged. A bad
    field affects only that field.
    """
    settings = load_settings()
    names = chosen_accounts(settings, account)
    with looked_into(settings) as database:
        rows = newest(database, names, limit)
        why = reasons(database, names) if rows and not as_json else []
    if as_json:
        typer.echo(json_text([RejectJson.model_validate(row) for row in rows]))
    else:
        console().print(_rejects_picture(rows, why) if rows else "no row is in quarantine")


def _rejects_picture(rows: Sequence[Rejected], why: Sequence[RejectReason]) -> Group:
    """The rows, and below them how many there are for each reason."""
    total = sum(reason.rows for reason in why)
    shown = counted(total, "row") + ("" if total == len(rows) else f", of which --limit shows {len(rows):,}")
    return Group(_rejects_table(rows), Text(f"\n{shown}:"), _reasons_table(why))


def _rejects_table(rows: Sequence[Rejected]) -> Table:
    table = Table("account", "page", "offer", "kind", box=None, pad_edge=False)
    table.add_column("reason", overflow="fold")
    for row in rows:
        cells = (row.account, str(row.page or "by id"), str(row.emag_offer_id or "no id"), row.kind, row.reason)
        table.add_row(*map(Text, cells))
    return table


def _reasons_table(why: Sequence[RejectReason]) -> Table:
    table = Table("account", "rows", box=None, pad_edge=False)
    for heading in ("reason", "first"):
        table.add_column(heading, overflow="fold")
    for reason in why:
        table.add_row(*map(Text, (reason.account, f"{reason.rows:,}", reason.words, reason.example)))
    return table


def accept(
    check: Annotated[str, typer.Argument(metavar="CHECK", help=f"One of {', '.join(ACCEPTABLE)}.")],
    account: Annotated[str, typer.Option(metavar="NAME", help="The account of the finding.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it is acceptable, for the next reviewer.")],
    until: Annotated[datetime, typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="The last day (UTC).")],
    offer: Annotated[
        list[int] | None,
        typer.Option(metavar="ID", parser=whole_number, help="Only this offer; repeat for more. Default: all offers."),
    ] = None,
) -> None:
    """Accept what a check finds until a given day: it is still counted and shown, and does not fail the check.

    After that day the check fails on it again. `emag-pipeline deviations` shows what is accepted.
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
            f"{none}. What it finds there until {last} is accepted; if another offer was meant, end it with "
            "`emag-pipeline deviations --withdraw ID`"
        )


def _not_found(database: Database, settings: Settings, account: str, check: str, offers: Sequence[int]) -> list[int]:
    if not offers:
        return []
    currency = settings.account(account).marketplace.currency
    return not_found(database, check, account, offers, currency=currency, price_move=settings.price_move)


class DeviationJson(JsonModel):
    """An accepted finding."""

    id: int = Field(validation_alias="deviation_id", description="Its id, for `--withdraw`.")
    account: str = Field(description="The account.")
    check: str = Field(description="The check (docs/checks.md).")
    emag_offer_id: int | None = Field(validation_alias="offer_id", description="The offer; null for the whole account.")
    reason: str = Field(description="Why it was accepted.")
    accepted_by: str = Field(description="Who accepted it.")
    accepted_at: Moment = Field(description="When.")
    expires_at: Moment = Field(description="When it ends.")
    withdrawn_at: Moment | None = Field(description="When it was withdrawn; null if it was not.")
    is_active: bool = Field(description="Whether it applies now.")


def deviations(
    account: AccountsOption = None,
    also_ended: Annotated[
        bool, typer.Option("--all", help="Include those that have expired or were withdrawn.")
    ] = False,
    as_json: JsonOption = False,
    withdraw: Annotated[
        int | None, typer.Option(metavar="ID", parser=whole_number, help="End this one now, and show nothing else.")
    ] = None,
) -> None:
    """Show which findings of checks are accepted, by whom, why and until when; or end one early."""
    settings = load_settings()
    names = chosen_accounts(settings, account)
    with looked_into(settings) as database:
        if withdraw is not None:
            ended = withdraw_deviation(database, withdraw)
            what = "whatever it finds" if ended.offer_id is None else f"offer {ended.offer_id}"
            said = f"{ended.account}: {ended.check} no longer accepts {what}, from its next evaluation on"
            typer.echo(f"{said}: its findings there count again")
            return
        found = accepted_deviations(database, names, also_ended=also_ended)
    if as_json:
        typer.echo(json_text([DeviationJson.model_validate(one) for one in found]))
    else:
        console().print(_deviations_table(found) if found else "nothing is accepted")


def _deviations_table(found: Sequence[Deviation]) -> Table:
    table = Table("id", "account", box=None, pad_edge=False)
    for heading in ("check", "offer", "until", "by", "reason"):
        table.add_column(heading, overflow="fold")  # a narrow terminal must not truncate names
    for one in found:
        offer = "all offers" if one.offer_id is None else str(one.offer_id)
        table.add_row(str(one.deviation_id), one.account, one.check, offer, _until(one), one.accepted_by, one.reason)
    return table


def _until(one: Deviation) -> str:
    """The last day on which it applies."""
    if one.withdrawn_at is not None:
        return f"withdrawn {one.withdrawn_at:%Y-%m-%d}"
    return f"{one.expires_at - timedelta(seconds=1):%Y-%m-%d}"
