"""What is wrong with an answer and is not movement: named, so that a person knows what to report."""

from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """A way in which a marketplace answers that no re-reading heals."""

    IGNORED_PAGE = "the marketplace ignores currentPage"
    REPEATED_PAGE = "a page shows the rows of another one"
    EMPTY_PAGE = "an empty page has rows behind it"
    SHORT_PAGE = "a short page has rows behind it"
    ENDLESS = "the pages do not end"
    EMPTY_LISTING = "the listing is empty and the count is not"
    #: none of the marketplace: a defect of this code, which ends here and not in waiting for ever
    NO_WAY = "the scan does not know how to go on, which is a defect of emag_pipeline: report it"


@dataclass(frozen=True, slots=True)
class Complete:
    """The scan is complete; what the proof has to say of it beyond its figures stands in `marks`."""

    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """No reading of this listing can be proven complete."""

    fault: Fault
    where: str


Verdict = Complete | Refused
