"""The timeline of one offer: its states in order, and the gaps in which it was gone."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from emag_pipeline.db import history
from emag_pipeline.db.engine import Database
from emag_pipeline.db.history import KnownOffer, State
from emag_pipeline.operations.one_offer import found


@dataclass(frozen=True, slots=True)
class Gap:
    """The marketplace did not have the offer (UTC; `valid_to` None: it is gone still)."""

    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """An offer and what happened to it, the oldest first."""

    offer: KnownOffer
    entries: tuple[State | Gap, ...]


def timeline(database: Database, account: str, offer_id: int, since: datetime | None = None) -> Timeline:
    """The offer's timeline; with `since` (UTC) from the state on that was in force then.

    Raises SettingsError when the offer was never published, or what was in force at `since` is not known: before the
    account's first publish, and in the future.
    """
    offer = found(database, account, offer_id)
    if since is not None:
        history.require_known(database, account, since)
    states = history.states(database, account, offer_id, since)
    gone_since = offer.deleted_at if not states else None
    return Timeline(offer, tuple(_with_gaps(states, gone_since)))


def _with_gaps(states: Iterable[State], end: datetime | None) -> Iterator[State | Gap]:
    for state in states:
        if end is not None and end < state.valid_from:
            yield Gap(end, state.valid_from)
        yield state
        end = state.valid_to
    if end is not None:
        yield Gap(end, None)


def sampled(entries: Sequence[State | Gap], number: int, now: datetime) -> list[State | None]:
    """The states in force at so many moments, evenly spread from the first entry to now; None in a gap."""
    if not entries:
        return []
    begins = [entry.valid_from for entry in entries]
    step = (now - begins[0]) / (number - 1)
    in_force = [entries[bisect_right(begins, begins[0] + step * place) - 1] for place in range(number)]
    return [entry if isinstance(entry, State) else None for entry in in_force]
