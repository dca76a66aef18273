"""When is a scan of a listing that moves complete, and what is to be read next? Pure decisions.

`Scan` is all that an executor needs. docs/completeness.md tells the reasoning, `emag_pipeline_tests.completeness` is
its judge: it plays scans of this very code against a model of the listing.
"""

from emag_pipeline.completeness.evidence import Evidence, evidence_of, listing_order_of
from emag_pipeline.completeness.faults import Complete, Fault, Refused, Verdict
from emag_pipeline.completeness.order import PreviousOrder
from emag_pipeline.completeness.reads import Read, Window, standing_still
from emag_pipeline.completeness.scan import Scan
from emag_pipeline.completeness.settling import COUNT_IS_WRONG, REMAINDER
from emag_pipeline.completeness.situation import Ask, Situation
from emag_pipeline.completeness.stretch import SIZES

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
    "Scan",
    "Situation",
    "Verdict",
    "Window",
    "evidence_of",
    "listing_order_of",
    "standing_still",
]
