"""What a scan has found, in numbers: the certificate of a publish."""

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emag_pipeline.sync.completeness.order import order_of
from emag_pipeline.sync.completeness.situation import ChainState

if TYPE_CHECKING:
    from emag_pipeline.sync.completeness.scan import ScanDecisions


_WHOLE = (ChainState.JOINED, ChainState.EMPTY, ChainState.REPEATS)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The figures of a scan; `head_reached` and `tail_reached` are 1 where windows join up to there."""

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
    """How the scan stands."""
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
    """The order in which the chain has seen the offers; None where no chain reaches from head to tail."""
    if (
        scan.chain is None
        or scan.chain.state is not ChainState.JOINED
        or scan.readings.disprove
        or not scan.chain.runs.all
    ):
        return None
    return order_of(scan.chain.runs.all[0].windows)
