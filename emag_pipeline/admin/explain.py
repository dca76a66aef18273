"""Why an offer is or is not saleable: every condition, its value, since when, and what to do.

The rule itself (docs/marketplace-api.md, "When an offer can be bought") is the SQL function emag_issue_codes; here its
codes are grouped by condition and followed through the history.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from emag_pipeline.admin.history import (
    KnownOffer,
    OfferState,
    Rejection,
    found,
    money,
    newest_rejection,
    one_line,
    said_of,
    states_of,
    status_words,
)
from emag_pipeline.marts.issue_words import Issue, issue
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.status import AccountStatus, account_statuses


@dataclass(frozen=True, slots=True)
class Blocker:
    """Why a condition does not hold, and since when (UTC) without interruption."""

    code: str
    issue: Issue
    since: datetime


@dataclass(frozen=True, slots=True)
class SaleCondition:
    """One condition for being saleable. `said` holds the marketplace's own sentences on it, even if it holds.

    There is one for each verdict; for a condition that does not hold, only those of the reasons.
    """

    name: str
    value: str
    #: since when it has had that value without interruption (UTC), which may be later than `since`
    value_since: datetime
    #: since when it has held, or not held, without interruption (UTC)
    since: datetime
    reasons: tuple[Blocker, ...]
    said: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether it is met."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything known about why an offer is or is not saleable.

    A tombstoned offer is explained as it was last published. `rejection` is set while its newest row is quarantined:
    the marketplace may then show something other than what is explained.
    """

    offer: KnownOffer
    issue_codes: tuple[str, ...]
    conditions: tuple[SaleCondition, ...]
    #: since when it has been saleable, or not, without interruption (UTC)
    since: datetime
    account: AccountStatus
    rejection: Rejection | None

    @property
    def can_be_bought(self) -> bool:
        """All conditions hold and the offer exists."""
        return self.offer.deleted_at is None and not self.issue_codes


def explain(database: Database, account: str, offer_id: int, language: str | None = None) -> Explanation:
    """Explain an offer as it was last published. Raises SettingsError when it never was.

    The marketplace is quoted in `language` (two letters) if it can be, otherwise in English.
    """
    offer = found(database, account, offer_id)
    past = states_of(database, account, offer_id)
    said = said_of(
        database,
        account,
        offer_id,
        {code for about in _CONDITIONS.values() for code in _meant(past[-1], about)},
        language,
    )
    (status,) = account_statuses(database, [account], sees_staging=False)
    return Explanation(
        offer=offer,
        issue_codes=past[-1].issue_codes,
        conditions=conditions(past, said, is_stock_reported=offer.is_stock_reported),
        since=_since(past, lambda state: not state.issue_codes),
        account=status,
        rejection=newest_rejection(database, account, offer_id) if offer.rejected_at else None,
    )


def conditions(
    past: Sequence[OfferState], said: Mapping[str, str], *, is_stock_reported: bool = False
) -> tuple[SaleCondition, ...]:
    """Every condition in the last of the states; the reasons include all of its issue codes.

    `said` holds the marketplace's sentences by code; `is_stock_reported`: it sends a total stock now, even if not a
    number.
    """
    return tuple([_condition(name, past, said, is_stock_reported) for name in _CONDITIONS])


@dataclass(frozen=True, slots=True)
class _About:
    """What a condition is about: prefixes of its issue codes, its value in words, the marketplace's verdicts."""

    codes: tuple[str, ...]
    value: Callable[[OfferState], str]
    verdicts: Callable[[OfferState], Sequence[int | None]] = lambda _: ()


def _verdicts(code: str, verdicts: Callable[[OfferState], Sequence[int | None]]) -> _About:
    return _About((code,), lambda state: _listed(verdicts(state)), verdicts)


_CONDITIONS = {
    "in stock": _About(("out_of_stock", "stock_"), lambda state: _pieces(state.general_stock)),
    "active": _About(("inactive", "end_of_life", "status_"), lambda state: status_words(state.status)),
    "priced": _About(("no_price",), lambda state: _price(state)),
    "price accepted": _verdicts("price_", lambda state: [state.offer_validation_status]),
    "product accepted": _verdicts("product_", lambda state: state.validation_status),
    "translation accepted": _verdicts("translation_", lambda state: state.translation_validation_status),
    "fields readable": _About(("field_",), lambda state: _named(state.unreadable)),
}


def _condition(
    name: str, past: Sequence[OfferState], said: Mapping[str, str], is_stock_reported: bool
) -> SaleCondition:
    about = _CONDITIONS[name]
    reasons = [(code, issue(code, is_stock_reported=is_stock_reported)) for code in _own(past[-1], about)]
    return SaleCondition(
        name=name,
        value=about.value(past[-1]),
        value_since=_since(past, about.value),
        since=_since(past, lambda state: not _own(state, about)),
        reasons=tuple([Blocker(code, words, _since_code(past, code)) for code, words in reasons]),
        said=tuple(dict.fromkeys(one_line(said[code]) for code in _meant(past[-1], about) if code in said)),
    )


def _own(state: OfferState, about: _About) -> list[str]:
    return [code for code in state.issue_codes if code.startswith(about.codes)]


def _meant(state: OfferState, about: _About) -> list[str]:
    """The codes for which the marketplace's sentences are looked up: the reasons, or else all verdicts."""
    return _own(state, about) or [f"{about.codes[0]}{verdict}" for verdict in about.verdicts(state)]


def _since_code(past: Sequence[OfferState], code: str) -> datetime:
    return _since(past, lambda state: code in state.issue_codes)


def _since(past: Sequence[OfferState], fact: Callable[[OfferState], bool | str]) -> datetime:
    """Since when a fact of the last state has held without interruption; an absence of the offer interrupts it."""
    since = past[-1]
    for state in reversed(past[:-1]):
        if state.valid_to != since.valid_from or fact(state) != fact(past[-1]):
            break
        since = state
    return since.valid_from


def _pieces(stock: int | None) -> str:
    return "not known" if stock is None else str(stock)


def _price(state: OfferState) -> str:
    return f"{money(state.sale_price) or 'none'} {state.currency or ''}".strip()


def _named(unreadable: Sequence[str]) -> str:
    return f"not {', '.join(unreadable)}" if unreadable else "yes"


def _listed(codes: Sequence[int | None]) -> str:
    return ", ".join("none" if code is None else str(code) for code in codes) or "none"
