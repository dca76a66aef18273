"""The four marts: their tables, and what of their statements is decided in Python."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from emag_pipeline.marts import issue_words
from emag_pipeline.store.sql import statements

#: How far back the pace of sales is looked at, and how few days of cover are low.
WINDOW_DAYS = 30
COVER_DAYS = 30


@dataclass(frozen=True, slots=True)
class Mart:
    """One mart. `columns` are those beside the key; `scope` and `shows_newest` are conditions in SQL.

    A refresh owns the rows of `scope`; it shows the newest publish where `shows_newest` holds. It looks at the offers
    that its statement `touched` finds, if the file has one, else at all.
    """

    name: str
    key: Sequence[str]
    columns: Sequence[str]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    scope: str = "account_type = :account"
    shows_newest: str = "true"

    @property
    def table(self) -> str:
        """Its table, without the schema."""
        return f"emag_{self.name}"

    def statement(self, name: str) -> str:
        """One of the statements of its file."""
        return self.statements[name]

    @property
    def statements(self) -> Mapping[str, str]:
        """The statements of its file, by name."""
        return statements(f"marts/{self.name}.sql")

    def rules(self, language: str | None) -> str:
        """A fingerprint of what its rows follow from beside the data: statements, parameters, language."""
        text = json.dumps([self.statements, dict(self.parameters), self.scope, language], sort_keys=True)
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
)

BUY_BUTTON = Mart(
    "buy_button",
    key=("account_type", "emag_offer_id"),
    columns=(
        "buy_button_rank", "has_buy_button", "rank_a_day_ago", "change", "number_of_offers", "sale_price",
        "best_offer_sale_price", "currency", "vat_rate", "sale_price_with_vat", "best_price_with_vat", "gap",
        "gap_percent", "gap_with_vat", "is_saleable",
    ),
)  # fmt: skip

LOW_STOCK = Mart(
    "low_stock",
    key=("account_type", "emag_offer_id"),
    columns=(
        "general_stock", "sold", "observed_days", "sold_a_day", "days_of_cover", "sold_out_on", "sale_price",
        "currency", "is_saleable", "has_jumps",
    ),
    parameters={"window_days": WINDOW_DAYS, "cover_days": COVER_DAYS},
)  # fmt: skip

DAILY_ASSORTMENT = Mart(
    "daily_assortment",
    key=("day", "account_type"),
    columns=(
        "as_of", "offers", "saleable_offers", "saleable_share", "stock", "stock_value", "median_price", "currency",
        "arrivals", "departures", "price_moves", "price_rises", "price_cuts", "issues", "publishes",
        "last_published_at", "is_carried_forward", "offers_in_other_currencies",
    ),
    scope="account_type = :account AND day = CAST(:day AS date)",
    shows_newest="published_at < (CAST(:day AS date) + 1)::timestamp AT TIME ZONE 'UTC'",
)  # fmt: skip

#: Those that are computed anew, as a whole, after each publish.
OF_NEWEST_PUBLISH = (OFFER_ISSUES, BUY_BUTTON, LOW_STOCK)
