"""Why an offer can or cannot be bought: every condition with its value, since when it is so, what to do.

The rule itself (emag-api.md, section 5) is the SQL function emag_issue_codes; here its codes are sorted by condition
and followed through the history.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emag_pipeline.db.engine import Database
from emag_pipeline.db.history import KnownOffer, Rejection, State, newest_rejection, states
from emag_pipeline.db.status import AccountStatus, account_statuses
from emag_pipeline.issues import Issue, issue
from emag_pipeline.operations.figures import one_line, status_words
from emag_pipeline.operations.one_offer import found


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a condition does not hold, and since when (UTC) without a break."""

    code: str
    issue: Issue
    since: datetime


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of being bought. `said` is what the marketplace says of it, also where it holds."""

    name: str
    value: str
    #: since when it has held, or has not held, without a break (UTC)
    since: datetime
    reasons: tuple[Reason, ...]
    said: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether it stands in nobody's way."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is to say of an offer.

    An offer that is gone is explained as it was last published. `rejection` is set while its newest reading is in
    quarantine: then the marketplace may show something else than what is explained.
    """

    offer: KnownOffer
    issue_codes: tuple[str, ...]
    conditions: tuple[Condition, ...]
    #: since when it could, or could not, be bought without a break (UTC)
    since: datetime
    account: AccountStatus
    rejection: Rejection | None

    @property
    def can_be_bought(self) -> bool:
        """Nothing stands in its way, and the offer is there."""
        return self.offer.deleted_at is None and not self.issue_codes


def explain(database: Database, account: str, offer_id: int) -> Explanation:
    """Explain an offer as it was last published. Raises SettingsError when it never was."""
    offer = found(database, account, offer_id)
    past = states(database, account, offer_id)
    (status,) = account_statuses(database, [account])
    return Explanation(
        offer=offer,
        issue_codes=past[-1].issue_codes,
        conditions=conditions(past, offer),
        since=_since(past, lambda state: not state.issue_codes),
        account=status,
        rejection=newest_rejection(database, account, offer_id) if offer.rejected_at else None,
    )


def conditions(past: Sequence[State], offer: KnownOffer) -> tuple[Condition, ...]:
    """Every condition as it stands in the last of the states; all their issue codes are among the reasons."""
    return tuple([_condition(name, past, offer) for name in _CONDITIONS])


@dataclass(frozen=True, slots=True)
class _About:
    """What a condition looks at: the beginnings of its issue codes, its value in words, the marketplace's verdicts."""

    codes: tuple[str, ...]
    value: Callable[[State], str]
    verdicts: str = ""


_CONDITIONS = {
    "in stock": _About(("out_of_stock", "stock_"), lambda state: _pieces(state.general_stock)),
    "active": _About(("inactive", "end_of_life", "status_"), lambda state: status_words(state.status)),
    "price accepted": _About(
        ("price_",), lambda state: _listed([state.offer_validation_status]), "offer_validation_status"
    ),
    "product accepted": _About(("product_",), lambda state: _listed(state.validation_status), "validation_status"),
    "translation accepted": _About(
        ("translation_",),
        lambda state: _listed(state.translation_validation_status),
        "translation_validation_status",
    ),
    "answer readable": _About(("field_",), lambda state: _named(state.unreadable)),
}


def _condition(name: str, past: Sequence[State], offer: KnownOffer) -> Condition:
    about = _CONDITIONS[name]
    codes = _own(past[-1], about)
    return Condition(
        name=name,
        value=about.value(past[-1]),
        since=_since(past, lambda state: not _own(state, about)),
        reasons=tuple([Reason(code, issue(code), _since_code(past, code)) for code in codes]),
        said=tuple(dict.fromkeys(map(one_line, _said(about, offer)))),
    )


def _own(state: State, about: _About) -> list[str]:
    return [code for code in state.issue_codes if code.startswith(about.codes)]


def _since_code(past: Sequence[State], code: str) -> datetime:
    return _since(past, lambda state: code in state.issue_codes)


def _since(past: Sequence[State], fact: Callable[[State], bool]) -> datetime:
    """Since when a fact of the last state has been so without a break; an absence of the offer is a break."""
    since = past[-1]
    for state in reversed(past[:-1]):
        if state.valid_to != since.valid_from or fact(state) != fact(past[-1]):
            break
        since = state
    return since.valid_from


def _said(about: _About, offer: KnownOffer) -> Iterator[str]:
    for verdict in (offer.verdicts or {}).get(about.verdicts, ()):
        yield from _texts([verdict.get("description"), verdict.get("errors")])
    if about.verdicts == "validation_status":
        yield from _texts(offer.doc_errors)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a piece of JSON: what the marketplace's errors look like is not documented."""
    if isinstance(value, str) and value.strip():
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _pieces(stock: int | None) -> str:
    return "not a number" if stock is None else str(stock)


def _named(unreadable: Sequence[str]) -> str:
    return f"not {', '.join(unreadable)}" if unreadable else "yes"


def _listed(codes: Sequence[int | None]) -> str:
    return ", ".join("none" if code is None else str(code) for code in codes) or "none"
