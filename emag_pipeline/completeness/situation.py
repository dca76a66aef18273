"""What is known before a scan begins, and what it asks for beside pages."""

from dataclasses import dataclass
from enum import Enum

from emag_pipeline.completeness.order import PreviousOrder


class Ask(Enum):
    """What is asked for beside pages."""

    COUNT = "count"
    #: every offer that was known before and that no window showed, by its id
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known before a scan begins."""

    #: EMAG_API_PAGE_SIZE, or the smaller size that was found to work
    page_size: int = 100
    #: EMAG_SYNC_MAX_PAGES in offers
    most_offers: int = 10_000
    #: the order of the last complete scan; None at a first publish
    previous: PreviousOrder | None = None
    #: found by earlier scans of the account
    reorders: bool = False
    ignores_odd_sizes: bool = False
