"""The registry of marts. A mart is an entry here and an SQL file with its name; the rest is derived from both."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from emag_pipeline.marts import issue_words
from emag_pipeline.store.sql import statements

#: The period from which the pace of sales is computed, and the days of cover that count as low.
WINDOW_DAYS = 30
COVER_DAYS = 30

_ROWS_FOLLOW_FROM = ("fresh", "touched", "rates")


@dataclass(frozen=True, slots=True)
class Mart:
    """One mart: its table, its asset with `description`, and its check with a sentence that holds if it passes.

    `columns` are those of the table other than the key, which includes `account_type`; the database's comments describe
    them. `parameters` are the values of its statement `fresh`. `rests_on` names assets of reference data. A mart
    by day has a row per `day`, with the time of the state that it shows in `as_of`.

    Its file has the statements `fresh` (the rows as they should be), `differences` (one row for each difference to the
    offers, computed in another way than `fresh`), `totals` (the sums that the check compares) and `numbers` (one row of
    figures for the asset's metadata); and optionally `sample` (the most important rows), `touched` (the offers that may
    have changed since :shown_at; without it, all are computed each time) and `rates` (a fingerprint of other data that
    the rows depend on). The words in braces are explained in merge.sql and reconcile.sql.
    """

    name: str
    key: Sequence[str]
    columns: Sequence[str]
    description: str
    check: str
    check_sentence: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    rests_on: Sequence[str] = ()
    is_by_day: bool = False
    #: where its statements are, if not in `marts/NAME.sql`
    file: str = ""

    @property
    def table(self) -> str:
        """Its table, without the schema."""
        return f"emag_{self.name}"

    @property
    def statements(self) -> Mapping[str, str]:
        """The statements of its file, by name."""
        return statements(self.file or f"marts/{self.name}.sql")

    def statement(self, name: str) -> str:
        """One of the statements of its file."""
        return self.statements[name]

    @property
    def scope(self) -> str:
        """The rows that a refresh may write, as an SQL condition."""
        return "account_type = :account" + (" AND day = CAST(:day AS date)" if self.is_by_day else "")

    @property
    def shows_newest(self) -> str:
        """Whether a refresh shows the newest publish, as an SQL condition."""
        if not self.is_by_day:
            return "true"
        return "published_at < (CAST(:day AS date) + 1)::timestamp AT TIME ZONE 'UTC'"

    def rules(self, language: str | None) -> str:
        """A fingerprint of everything but the data that determines its rows: statements, parameters, language."""
        sql = {name: text for name, text in self.statements.items() if name in _ROWS_FOLLOW_FROM}
        text = json.dumps([sql, dict(self.parameters), self.scope, language], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


OFFER_ISSUES = Mart(
    "offer_issues",
    key=("account_type", "emag_offer_id", "issue_code"),
    columns=("reason", "remedy", "said", "since", "stock_held_back", "value_held_back", "sales_lost_a_day", "currency"),
    parameters={
        "words": json.dumps({code: asdict(issue) for code, issue in issue_words.WORDS.items()}),
        "unknown_reason": issue_words.UNDOCUMENTED.reason,
        "unknown_remedy": issue_words.UNDOCUMENTED.remedy,
        "window_days": WINDOW_DAYS,
    },
    description="Why offers are not saleable: table `emag_offer_issues`, one row per reason and existing offer, with "
    "the reason in words, what to do, since when (UTC), what the marketplace says, the stock and value held back, and "
    "the daily sales that a sold-out offer loses (without VAT; sums are in the account's currency).",
    check="issues_reconcile_with_offers",
    check_sentence="Every existing offer either is saleable or has an issue, and no other offer has one.",
)

BUY_BUTTON = Mart(
    "buy_button",
    key=("account_type", "emag_offer_id"),
    columns=(
        "buy_button_rank", "has_buy_button", "rank_a_day_ago", "change", "number_of_offers", "sale_price",
        "best_offer_sale_price", "currency", "vat_rate", "sale_price_with_vat", "best_price_with_vat", "gap",
        "gap_percent", "gap_with_vat", "is_saleable",
    ),
    rests_on=("vat_rates",),
    description="Who has the buy button: table `emag_buy_button`, one row per existing offer that has a rank or had "
    "the button within the last 24 hours, with the gap to the best offer in money and percent (with VAT where the "
    "rate is known) and what has changed within these hours.",
    check="buy_button_reconciles_with_offers",
    check_sentence="Every existing offer with a rank is listed once, with its current rank and prices; without a rank "
    "only offers that lost the button are.",
)  # fmt: skip

LOW_STOCK = Mart(
    "low_stock",
    key=("account_type", "emag_offer_id"),
    columns=(
        "general_stock", "sold", "observed_days", "sold_a_day", "days_of_cover", "sold_out_on", "sale_price",
        "currency", "is_saleable", "has_jumps",
    ),
    parameters={"window_days": WINDOW_DAYS, "cover_days": COVER_DAYS},
    description="What is about to run out: table `emag_low_stock`, one row per existing offer that has sold out, or "
    "whose stock lasts 30 days at most at the sales pace of the last 30 days (pieces per day, from history; "
    "deliveries, and jumps that look like corrections, do not count), and whether it is saleable.",
    check="low_stock_reconciles_with_offers",
    check_sentence="Every listed offer exists, with the listed stock, price and saleability; every offer that has just "
    "sold out is listed.",
)  # fmt: skip

DAILY_ASSORTMENT = Mart(
    "daily_assortment",
    key=("day", "account_type"),
    columns=(
        "as_of", "offers", "saleable_offers", "saleable_share", "stock", "stock_value", "median_price", "currency",
        "arrivals", "departures", "price_moves", "price_rises", "price_cuts", "issues", "publishes",
        "last_published_at", "is_carried_forward", "offers_in_other_currencies",
    ),
    is_by_day=True,
    description="The assortment on each day (UTC): table `emag_daily_assortment`, one row per day and account: "
    "offers, saleable share, stock and its value (without VAT), median price, arrivals, departures and price moves "
    "since the end of the day before, and whether anything was published on that day. Computed from history, so any "
    "day since the first publish can be materialised again, here or with `emag-pipeline backfill`.",
    check="assortment_reconciles_with_offers",
    check_sentence="The newest day counts the offers that are published; each day follows from the one before it and "
    "counts its publishes.",
)  # fmt: skip

MARTS = (OFFER_ISSUES, BUY_BUTTON, LOW_STOCK, DAILY_ASSORTMENT)
#: The marts that are refreshed as a whole after each publish of an account.
OF_NEWEST_PUBLISH = tuple(mart for mart in MARTS if not mart.is_by_day)
