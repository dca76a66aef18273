"""Decides when a scan of a moving listing is complete, and what to read next. Pure decisions without I/O.

`ScanDecisions` is the interface for executors. docs/completeness.md explains the reasoning;
`emag_pipeline_tests.completeness` tests this code by simulated scans of a model of the listing.
"""

from emag_pipeline.sync.completeness.order import PreviousOrder
from emag_pipeline.sync.completeness.reads import Read, Window, standing_still
from emag_pipeline.sync.completeness.scan import ScanDecisions
from emag_pipeline.sync.completeness.settling import COUNT_IS_WRONG, REMAINDER
from emag_pipeline.sync.completeness.situation import (
    Ask,
    Complete,
    Evidence,
    Fault,
    Refused,
    Situation,
    Verdict,
    evidence_of,
    listing_order_of,
)
from emag_pipeline.sync.completeness.stretches import SIZES

__all__ = [
    "COUNT_IS_WRONG",
    "REMAINDER",
    "SIZES",
    "Ask",
    "Complete",
    "Evidence",
    "Fault",
    "PreviousOrder",
    "Read",
    "Refused",
    "ScanDecisions",
    "Situation",
    "Verdict",
    "Window",
    "evidence_of",
    "listing_order_of",
    "standing_still",
]
