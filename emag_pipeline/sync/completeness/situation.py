"""What a scan knows when it begins, what it asks for in addition to pages, and how it ends: verdict and evidence."""

from array import array
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from emag_pipeline.sync.completeness.order import PreviousOrder, order_of

if TYPE_CHECKING:
    from emag_pipeline.sync.completeness.scan import ScanDecisions


# The states of a scan and of its chain of windows.


class ChainState(Enum):
    """The state of a chain."""

    READING = "reading"
    #: one run reaches from head to tail
    JOINED = "joined"
    #: the listing is empty
    EMPTY = "empty"
    #: the last page is repeated behind the last offer: an end only if the count agrees
    REPEATS = "repeats"
    #: the windows do not join: plain pages must be read twice
    TORN = "torn"
    #: the windows do not join because of `fault`
    FAULTY = "faulty"


class Phase(Enum):
    """The current step; END is the count with which everything is compared."""

    BEGIN = 0
    CHAIN = 1
    PLAIN = 2
    DOUBLES = 3
    HEAD = 4
    TAIL = 5
    CONFIRM = 6
    END = 7


class Ask(Enum):
    """What a scan asks for in addition to pages."""

    COUNT = "count"
    #: read every known offer that no window showed by its id
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Situation:
    """The facts known before a scan begins."""

    #: EMAG_API_PAGE_SIZE, or the smaller size that was found to work
    page_size: int = 100
    #: EMAG_SYNC_MAX_PAGES in offers
    most_offers: int = 10_000
    #: the order of the last complete scan; None at a first publish
    previous: PreviousOrder | None = None
    #: behaviour observed by earlier scans of the account
    reorders: bool = False
    ignores_odd_sizes: bool = False


# Faults of the marketplace that are not movement, named so that a person can report them.


class Fault(Enum):
    """A fault of the marketplace that further reads do not fix."""

    IGNORED_PAGE = "the marketplace ignores currentPage"
    REPEATED_PAGE = "a page shows the rows of another one"
    EMPTY_PAGE = "an empty page has rows behind it"
    SHORT_PAGE = "a short page has rows behind it"
    ENDLESS = "the pages do not end"
    EMPTY_LISTING = "the listing is empty and the count is not"
    #: not the marketplace's fault but a bug in this code, reported instead of waiting for ever
    NO_WAY = "the scan cannot continue, which is a bug in emag_pipeline: report it"


@dataclass(frozen=True, slots=True)
class Complete:
    """The scan is complete; `marks` are remarks on the proof beyond its figures."""

    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The scan cannot be proven complete."""

    fault: Fault
    where: str


Verdict = Complete | Refused


# The findings of a scan in numbers: the evidence for a publish.

_WHOLE = (ChainState.JOINED, ChainState.EMPTY, ChainState.REPEATS)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The figures of a scan; `head_reached` and `tail_reached` are 1 if windows join up to there."""

    rounds: int
    anchors: int
    repairs: int
    islands: int
    head_reached: int
    tail_reached: int
    stretches: int
    united: int
    heads: int
    remainder: int
    compared: int
    inversions: int
    moved: int
    doubled: int
    unreadable_positions: int


def evidence_of(scan: "ScanDecisions") -> Evidence:
    """The current figures of the scan."""
    chain, order = scan.chain, scan.order
    is_disproved = scan.readings.disprove
    is_joined = chain is not None and chain.state in _WHOLE and not is_disproved
    return Evidence(
        rounds=max(1, scan.readings.number),
        anchors=chain.runs.anchors if chain else 0,
        repairs=chain.repairs if chain else 0,
        islands=len(chain.runs.islands) if chain else 0,
        head_reached=int(is_joined or (chain is not None and not is_disproved and chain.runs.head is not None)),
        tail_reached=int(is_joined),
        stretches=chain.stretches.begun if chain else 0,
        united=chain.stretches.united if chain else 0,
        heads=scan.closing.times,
        remainder=scan.remainders[-1] if scan.remainders else 0,
        compared=order.compared,
        inversions=order.inversions,
        moved=len(order.strays),
        doubled=len(scan.doubles.found),
        unreadable_positions=scan.unreadable,
    )


def listing_order_of(scan: "ScanDecisions") -> "array[int] | None":
    """The order in which the chain has seen the offers; None if no chain reaches from head to tail."""
    if (
        scan.chain is None
        or scan.chain.state is not ChainState.JOINED
        or scan.readings.disprove
        or not scan.chain.runs.all
    ):
        return None
    return order_of(scan.chain.runs.all[0].windows)
