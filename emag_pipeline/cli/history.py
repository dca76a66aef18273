"""`emag-pipeline history`: a line for each state for people, JSON for programs.

The JSON is an object {account, emag_offer_id, name, first_seen_at, deleted_at, rejected_at, entries}; deleted_at is
null unless the offer is gone, rejected_at unless its newest reading is in quarantine. An entry is a state or a gap, the
oldest first:

is_gone                    true for a gap, in which the marketplace did not have the offer; it has only times
valid_from, valid_to       from the publish that showed it to the one that ended it; valid_to null: still so
is_saleable, issue_codes   whether it could be bought; if not, the reasons as emag_offer_issues names them
status                     0 inactive, 1 active, 2 end of life
sale_price, best_offer_sale_price, currency   prices without VAT, as texts with four places
general_stock, estimated_stock                pieces
buy_button_rank, number_of_offers             place in the race for the add-to-cart button, among so many
offer_validation_status, validation_status, translation_validation_status   the marketplace's codes
unreadable                 fields that the marketplace told in a form which cannot be read: they show their last value

Times are ISO 8601 in UTC; what is not known is null. Keys are added, never renamed.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emag_pipeline.admin.history import (
    Gap,
    KnownOffer,
    OfferState,
    OfferTimeline,
    at,
    money,
    sampled,
    status_words,
    timeline,
    title,
)
from emag_pipeline.charts import small
from emag_pipeline.cli.moments import moment
from emag_pipeline.console import console
from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.marts.issue_words import issue
from emag_pipeline.settings import load_settings
from emag_pipeline.wording import age, iso

#: Columns of the curves.
_CURVE_WIDTH = 60

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="E.g. main.")]
OfferId = Annotated[int, typer.Argument(metavar="OFFER_ID", min=1, help="The seller's own id: emag_offer_id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def history(
    account: Account,
    offer_id: OfferId,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="From the state on that was in force then; ISO 8601, UTC.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show an offer over time: prices, stock, status, rank, and whether it could be bought.

    One line for each state, from the publish that showed it to the one that ended it; a time in which the offer was
    gone is a line of its own.
    """
    settings = load_settings()
    name = settings.account(account).name
    begin = moment("--since", since)
    with looked_into(settings) as database:
        found = timeline(database, name, offer_id, begin)
    if as_json:
        typer.echo(json.dumps(_described(found), indent=2, ensure_ascii=False))
        return
    _draw(console(), found, datetime.now(UTC))


def _described(found: OfferTimeline) -> dict[str, Any]:
    offer = found.offer
    return {
        "account": offer.account,
        "emag_offer_id": offer.emag_offer_id,
        "name": offer.name,
        "first_seen_at": iso(offer.first_seen_at),
        "deleted_at": iso(offer.deleted_at),
        "rejected_at": iso(offer.rejected_at),
        "entries": [{"is_gone": isinstance(entry, Gap), **_entry(entry)} for entry in found.entries],
    }


def _entry(entry: OfferState | Gap) -> dict[str, Any]:
    return {field.name: _plain(getattr(entry, field.name)) for field in fields(entry)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    return str(value) if isinstance(value, Decimal) else value


def _draw(onto: Console, found: OfferTimeline, now: datetime) -> None:
    offer = found.offer
    onto.print(Text(title(offer), "bold"))
    onto.print(_table(found.entries, offer, now))
    for curve in _curves(found.entries, now):
        onto.print(Text(curve))
    if offer.rejected_at is not None:
        since = f"Since {at(offer.rejected_at)} its reading is in quarantine: the last line is the last good state."
        onto.print(Text(since, "yellow"))


def _table(entries: Sequence[OfferState | Gap], offer: KnownOffer, now: datetime) -> Table:
    table = Table("from (UTC)", "for", "status", "for sale", box=None, pad_edge=False)
    for heading in ("price", "stock", "rank"):
        table.add_column(heading, justify="right")
    table.add_column("why not")
    for before, entry in pairwise([None, *entries]):
        assert entry is not None  # noqa: S101
        lasted = age(((entry.valid_to or now) - entry.valid_from).total_seconds())
        if entry.valid_from <= offer.known_since:  # what the first publish showed may have been so before
            lasted = f"at least {lasted}"
        is_stock_told = offer.is_stock_told if entry.valid_to is None else None  # the answers before are not kept
        table.add_row(f"{entry.valid_from:%Y-%m-%d %H:%M:%S}", lasted, *_cells(before, entry, is_stock_told))
    return table


def _cells(before: OfferState | Gap | None, entry: OfferState | Gap, is_stock_told: bool | None) -> list[Text]:
    if isinstance(entry, Gap):
        return [Text("gone", "red"), *[Text("")] * 4, Text("The marketplace did not have it", "red")]
    known = before if isinstance(before, OfferState) else entry  # what has no state before it has not moved
    return [
        Text(status_words(entry.status)),
        Text("yes", "green") if entry.is_saleable else Text("no", "red"),
        _moved(
            f"{money(entry.sale_price)} {entry.currency or ''}",
            known.sale_price if known.currency == entry.currency else None,
            entry.sale_price,
        ),
        _moved(_number(entry.general_stock), known.general_stock, entry.general_stock),
        Text(_number(entry.buy_button_rank)),
        Text("; ".join(issue(code, is_stock_told=is_stock_told).reason for code in entry.issue_codes)),
    ]


def _moved(text: str, before: Decimal | int | None, now: Decimal | int | None) -> Text:
    """With an arrow when the figure rose or fell; a blank keeps the figures below each other."""
    mark = " " if before is None or now is None or before == now else "▲" if now > before else "▼"
    return Text(f"{text.strip()} {mark}", "bold" if mark != " " else "")


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _curves(entries: Sequence[OfferState | Gap], now: datetime) -> Iterator[str]:
    """Price and stock until now, each with its least and greatest value, also where it was too short for a bar.

    Prices of each currency are a curve of their own: those of another one are no more and no less.
    """
    states = [entry for entry in entries if isinstance(entry, OfferState)]
    shown = sampled(entries, _CURVE_WIDTH, now)
    for currency in dict.fromkeys(state.currency for state in states):
        priced = [state if state and state.currency == currency else None for state in shown]
        if prices := [one.sale_price for one in states if one.currency == currency and one.sale_price is not None]:
            bars = small.draw([state.sale_price if state else None for state in priced], min(prices))
            yield f"price  {bars}  {money(min(prices))} to {money(max(prices))} {currency or ''}".rstrip()
    if stocks := [state.general_stock for state in states if state.general_stock is not None]:
        bars = small.draw([state.general_stock if state else None for state in shown], min(stocks))
        yield f"stock  {bars}  {min(stocks):,} to {max(stocks):,}"
