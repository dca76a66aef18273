"""`emag-pipeline explain` and `history`: one offer in words, and over time."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from textwrap import fill
from typing import Annotated, Literal

import typer
from pydantic import Field
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emag_pipeline.admin.explain import Explanation, SaleCondition
from emag_pipeline.admin.explain import explain as explain_offer
from emag_pipeline.admin.history import (
    Gap,
    KnownOffer,
    OfferState,
    OfferTimeline,
    money,
    one_line,
    sampled,
    status_words,
    timeline,
    title,
)
from emag_pipeline.admin.history import since as since_words
from emag_pipeline.charts import small
from emag_pipeline.cli.arguments import AccountArgument, JsonOption, OfferArgument, moment
from emag_pipeline.console import console
from emag_pipeline.json_output import JsonModel, Moment, json_text
from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.marts.issue_words import issue
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.sync.account_health import is_stale, published_words
from emag_pipeline.wording import age, minute


class ReasonJson(JsonModel):
    """Why a condition does not hold."""

    code: str = Field(description="The reason as `emag_offer_issues` names it.")
    reason: str = Field(description="The reason in words.")
    remedy: str = Field(description="What to do.")
    since: Moment = Field(description="Since when.")


class ConditionJson(JsonModel):
    """One of the conditions for an offer to be saleable."""

    name: str = Field(description="What is required.")
    value: str = Field(description="The offer's value.")
    value_since: Moment = Field(description="Since when it has had that value.")
    holds: bool = Field(description="Whether the condition holds.")
    since: Moment = Field(description="Since when it has held, or has not.")
    reasons: list[ReasonJson] = Field(description="Why it does not hold; empty if it does.")
    said: list[str] = Field(description="The marketplace's own words, one sentence per verdict.")


class ExplanationJson(JsonModel):
    """Why an offer is saleable or not."""

    account: str = Field(description="The account.")
    emag_offer_id: int = Field(description="The seller's own id of the offer.")
    name: str | None = Field(description="Its name.")
    can_be_bought: bool = Field(description="Whether it is saleable, as last published; false for a deleted offer.")
    since: Moment = Field(
        description="Since when, without a break; not before `known_since`. For a deleted offer, of the time before."
    )
    conditions: list[ConditionJson] = Field(description="The conditions.")
    deleted_at: Moment | None = Field(description="When it was deleted; null if it exists.")
    rejected_at: Moment | None = Field(
        description="Since when its newest row has been in quarantine; null if it is not."
    )
    reject_reason: str | None = Field(description="Why the newest row was quarantined; null likewise.")
    known_since: Moment = Field(
        description="The account's first publish: what has been so since then may have been so before."
    )
    last_publish_at: Moment | None = Field(description="The account's last publish.")
    oldest_page_at: Moment | None = Field(
        description="When the oldest page of that publish was read: how current this explanation is."
    )
    is_stale: bool = Field(
        description="Whether that is longer ago than EMAG_SYNC_STALE_AFTER_HOURS and than two scans take."
    )


def explain(account: AccountArgument, offer_id: OfferArgument, as_json: JsonOption = False) -> None:
    """Explain why an offer can or cannot be bought, since when, and what to do about it.

    Shows every condition with its value, the marketplace's own words, and how current the copy is. Only reads.
    """
    settings = load_settings()
    name = settings.account(account).name
    with looked_into(settings) as database:
        found = explain_offer(database, name, offer_id, settings.language_of(name))
    if as_json:
        typer.echo(json_text(_explanation(found, settings)))
        return
    onto = console()
    for text, style in _lines(found, settings, datetime.now(UTC)):
        indent = " " * (len(text) - len(text.lstrip()))
        folded = fill(text, onto.width, subsequent_indent=indent) if onto.is_terminal else text
        onto.print(Text(folded, style), soft_wrap=True)


def _explanation(found: Explanation, settings: Settings) -> ExplanationJson:
    return ExplanationJson(
        account=found.offer.account,
        emag_offer_id=found.offer.emag_offer_id,
        name=found.offer.name,
        can_be_bought=found.can_be_bought,
        since=found.since,
        conditions=[_condition(one) for one in found.conditions],
        deleted_at=found.offer.deleted_at,
        rejected_at=found.offer.rejected_at,
        reject_reason=found.rejection and found.rejection.reason,
        known_since=found.offer.known_since,
        last_publish_at=found.account.last_publish_at,
        oldest_page_at=found.account.oldest_page_at,
        is_stale=is_stale(found.account, settings),
    )


def _condition(one: SaleCondition) -> ConditionJson:
    return ConditionJson(
        name=one.name,
        value=one.value,
        value_since=one.value_since,
        holds=one.holds,
        since=one.since,
        reasons=[
            ReasonJson(code=why.code, reason=why.issue.reason, remedy=why.issue.remedy, since=why.since)
            for why in one.reasons
        ],
        said=list(one.said),
    )


Line = tuple[str, str]


def _lines(found: Explanation, settings: Settings, now: datetime) -> Iterator[Line]:
    """The text lines, each with its style."""
    yield title(found.offer), "bold"
    yield _verdict(found, now)
    for condition in found.conditions:
        yield from _condition_lines(condition, found.offer.known_since, now)
    yield from _copy_lines(found, settings)


def _verdict(found: Explanation, now: datetime) -> Line:
    deleted = found.offer.deleted_at
    if deleted is not None:
        since = (
            f"It has been deleted since {_ago(deleted, now)}: neither a complete scan nor a read by its id showed it."
        )
        return f"{since} Before that:", "red"
    first = ", the account's first publish" if found.since <= found.offer.known_since else ""
    since = f"{_since(found.since, found.offer.known_since, now)}{first}"
    if found.can_be_bought:
        return f"It can be bought, {since}.", "green"
    return f"It cannot be bought, {since}.", "red"


def _condition_lines(condition: SaleCondition, known_since: datetime, now: datetime) -> Iterator[Line]:
    mark, style = ("✓", "green") if condition.holds else ("✗", "red")
    fact = "holds" if condition.holds else "does not hold"
    longer = (
        "" if condition.since == condition.value_since else f"; it {fact} {_since(condition.since, known_since, now)}"
    )
    value = f"{condition.value:12} {_since(condition.value_since, known_since, now)}"
    yield f"  {mark} {condition.name:21} {value}{longer}", style
    for why in condition.reasons:
        since = "" if why.since == condition.since else f", {_since(why.since, known_since, now)}"
        yield f"      {why.issue.reason}{since}. {why.issue.remedy}.", ""
    if condition.said:
        yield f"      The marketplace says: {'; '.join(condition.said)}", "dim"


def _copy_lines(found: Explanation, settings: Settings) -> Iterator[Line]:
    """How current the copy is."""
    if found.account.age_seconds is not None:
        stale = ", which is stale: `emag-pipeline status` says why" if is_stale(found.account, settings) else ""
        yield f"As {published_words(found.account)}{stale}.", "yellow" if stale else ""
    if found.rejection is not None and found.offer.rejected_at is not None:
        since = f"Its newest row has been in quarantine since {minute(found.offer.rejected_at)}"
        why = f"({one_line(found.rejection.reason)})"
        yield f"{since} {why}: this is its last good state, and the marketplace may show another.", "yellow"


def _since(moment: datetime, known_since: datetime, now: datetime) -> str:
    return f"{since_words(moment, known_since)} ({age((now - moment).total_seconds())})"


def _ago(moment: datetime, now: datetime) -> str:
    return f"{minute(moment)} ({age((now - moment).total_seconds())})"


class StateJson(JsonModel):
    """A commercial state of the offer."""

    is_gone: Literal[False] = Field(default=False, description="`false`.")
    valid_from: Moment = Field(description="The publish that first showed it.")
    valid_to: Moment | None = Field(description="The publish that ended it; null if it is the present state.")
    issue_codes: list[str] = Field(description="Why it was not saleable, as `emag_offer_issues` names the reasons.")
    is_saleable: bool = Field(description="Whether customers could buy it.")
    status: int | None = Field(description="0 inactive, 1 active, 2 end of life.")
    sale_price: Decimal | None = Field(description="Price without VAT, with four decimal places.")
    best_offer_sale_price: Decimal | None = Field(description="The best price of any seller, likewise.")
    currency: str | None = Field(description="The currency of both prices.")
    general_stock: int | None = Field(description="Pieces in stock.")
    estimated_stock: int | None = Field(description="Pieces in stock, less those that are reserved.")
    buy_button_rank: int | None = Field(description="Rank among the offers of the product; 1 has the buy button.")
    number_of_offers: int | None = Field(description="How many offers compete.")
    offer_validation_status: int | None = Field(description="The marketplace's code.")
    validation_status: list[int] = Field(description="The marketplace's codes.")
    translation_validation_status: list[int] = Field(description="The marketplace's codes.")
    unreadable: list[str] = Field(
        description="Fields that the marketplace sent in an unreadable form; their last values are shown."
    )


class GapJson(JsonModel):
    """A time in which the marketplace did not have the offer."""

    is_gone: Literal[True] = Field(default=True, description="`true`.")
    valid_from: Moment = Field(description="The publish that first found it missing.")
    valid_to: Moment | None = Field(description="The publish that showed it again; null if it is still missing.")


class HistoryJson(JsonModel):
    """An offer over time."""

    account: str = Field(description="The account.")
    emag_offer_id: int = Field(description="The seller's own id of the offer.")
    name: str | None = Field(description="Its name.")
    first_seen_at: Moment = Field(description="The publish that first showed it.")
    deleted_at: Moment | None = Field(description="When it was deleted; null if it exists.")
    rejected_at: Moment | None = Field(
        description="Since when its newest row has been in quarantine; null if it is not."
    )
    entries: list[StateJson | GapJson] = Field(description="States and gaps, the oldest first.")


def history(
    account: AccountArgument,
    offer_id: OfferArgument,
    since: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Start with the state in force then. ISO 8601; UTC unless stated otherwise."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show an offer over time: prices, stock, status, rank, and whether it could be bought.

    One line per state, from the publish that showed it to the one that ended it. A time in which the offer was deleted
    has a line of its own.
    """
    settings = load_settings()
    name = settings.account(account).name
    begin = moment("--since", since)
    with looked_into(settings) as database:
        found = timeline(database, name, offer_id, begin)
    if as_json:
        typer.echo(json_text(_history(found)))
        return
    _draw(console(), found, datetime.now(UTC))


def _history(found: OfferTimeline) -> HistoryJson:
    offer = found.offer
    return HistoryJson(
        account=offer.account,
        emag_offer_id=offer.emag_offer_id,
        name=offer.name,
        first_seen_at=offer.first_seen_at,
        deleted_at=offer.deleted_at,
        rejected_at=offer.rejected_at,
        entries=[(GapJson if isinstance(one, Gap) else StateJson).model_validate(one) for one in found.entries],
    )


def _draw(onto: Console, found: OfferTimeline, now: datetime) -> None:
    offer = found.offer
    onto.print(Text(title(offer), "bold"))
    onto.print(_table(found.entries, offer, now))
    for curve in _curves(found.entries, now):
        onto.print(Text(curve))
    if offer.rejected_at is not None:
        since = f"Its newest row has been in quarantine since {minute(offer.rejected_at)}"
        onto.print(Text(f"{since}: the last line is its last good state.", "yellow"))


def _table(entries: Sequence[OfferState | Gap], offer: KnownOffer, now: datetime) -> Table:
    table = Table("from (UTC)", "for", "status", "saleable", box=None, pad_edge=False)
    for heading in ("price", "stock", "rank"):
        table.add_column(heading, justify="right")
    table.add_column("why not")
    for before, entry in pairwise([None, *entries]):
        assert entry is not None  # noqa: S101
        lasted = age(((entry.valid_to or now) - entry.valid_from).total_seconds())
        if entry.valid_from <= offer.known_since:  # what the first publish showed may have been so before
            lasted = f"at least {lasted}"
        is_stock_reported = offer.is_stock_reported if entry.valid_to is None else None  # earlier answers are not kept
        table.add_row(f"{entry.valid_from:%Y-%m-%d %H:%M:%S}", lasted, *_cells(before, entry, is_stock_reported))
    return table


def _cells(before: OfferState | Gap | None, entry: OfferState | Gap, is_stock_reported: bool | None) -> list[Text]:
    if isinstance(entry, Gap):
        return [Text("deleted", "red"), *[Text("")] * 4, Text("The marketplace did not have it", "red")]
    known = before if isinstance(before, OfferState) else entry  # without a state before it, nothing has moved
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
        Text("; ".join(issue(code, is_stock_reported=is_stock_reported).reason for code in entry.issue_codes)),
    ]


def _moved(text: str, before: Decimal | int | None, now: Decimal | int | None) -> Text:
    """With an arrow if the figure rose or fell, else with a space, so that the figures stay aligned."""
    mark = " " if before is None or now is None or before == now else "▲" if now > before else "▼"
    return Text(f"{text.strip()} {mark}", "bold" if mark != " " else "")


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


#: The width of the curves.
_CURVE_COLUMNS = 60


def _curves(entries: Sequence[OfferState | Gap], now: datetime) -> Iterator[str]:
    """Price and stock until now, each with its lowest and highest value, even one too short-lived for a bar.

    Prices in each currency are a curve of their own: amounts in different currencies cannot be compared.
    """
    states = [entry for entry in entries if isinstance(entry, OfferState)]
    shown = sampled(entries, _CURVE_COLUMNS, now)
    for currency in dict.fromkeys(state.currency for state in states):
        priced = [state if state and state.currency == currency else None for state in shown]
        if prices := [one.sale_price for one in states if one.currency == currency and one.sale_price is not None]:
            bars = small.draw([state.sale_price if state else None for state in priced], min(prices))
            yield f"price  {bars}  {money(min(prices))} to {money(max(prices))} {currency or ''}".rstrip()
    if stocks := [state.general_stock for state in states if state.general_stock is not None]:
        bars = small.draw([state.general_stock if state else None for state in shown], min(stocks))
        yield f"stock  {bars}  {min(stocks):,} to {max(stocks):,}"
