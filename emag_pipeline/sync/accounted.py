"""Accounts for every offer that the marketplace counts: the parts of the sum, in one wording for all outputs."""

from collections.abc import Mapping
from dataclasses import dataclass

from emag_pipeline.wording import counted


@dataclass(frozen=True, slots=True)
class Accounted:
    """The parts of a scan's count, from its proof (`figures.ScanFigures`), which add up to `accounted`.

    The sum equals the marketplace's count, except for movement during the scan, and unless the count is wrong.
    """

    #: what the marketplace counted after the scan
    counts: int
    #: different offers staged from pages
    from_pages: int
    #: offers whose only rows on pages are in quarantine
    only_in_quarantine: int
    #: second rows of offers that the listing contains twice
    second_rows: int
    #: positions of the listing at which every page fails
    unreadable_positions: int
    #: offers on no page, found by reads of their ids, up to the number that the count leaves
    by_id_only: int
    #: the rest of these: not counted by the marketplace, or counted as a row without an id or an unreadable position
    by_id_besides: int

    @classmethod
    def of(cls, proof: Mapping[str, int]) -> "Accounted":
        """From the numbers of a sync's proof, also of an older version. Raises KeyError if the scan is unfinished."""
        counts, found = proof["count_after"], proof["found_by_id"]
        unreadable = proof.get("unreadable_positions", 0)
        doubled = proof.get("doubled", 0)
        left = counts - proof["distinct_ids"] - proof["rejected"] - doubled - unreadable
        by_id = min(found, max(0, left))
        return cls(counts, proof["distinct_ids"], proof["rejected"], doubled, unreadable, by_id, found - by_id)

    @property
    def accounted(self) -> int:
        """The sum of the parts."""
        return sum(self.parts.values())

    @property
    def parts(self) -> dict[str, int]:
        """The parts of the count, by their descriptions for people."""
        return {
            "staged from pages": self.from_pages,
            "only in quarantine": self.only_in_quarantine,
            "second rows of an offer": self.second_rows,
            "at unreadable positions": self.unreadable_positions,
            "found by their id only": self.by_id_only,
        }

    @property
    def sum_in_words(self) -> str:
        """E.g. `315 staged from pages + 2 only in quarantine`; parts of 0 are left out, except the first."""
        first, *others = [f"{number:,} {words}" for words, number in self.parts.items()]
        return " + ".join([first, *(one for one in others if not one.startswith("0 "))])

    @property
    def sentences(self) -> list[str]:
        """The account as sentences without full stops: the parts, the difference, the offers beyond the count."""
        what = f"all {self.counts:,} counted offers are accounted for"
        if self.counts < 2:
            what = "the one counted offer is accounted for" if self.counts else "no offer is counted"
        if self.difference:
            what = "no offer that existed throughout the scan is left out"
        said = [f"{what}: {self.sum_in_words}", self.difference_in_words, self.besides_in_words]
        return [one for one in said if one]

    @property
    def difference(self) -> int:
        """Counted offers that no part accounts for; if negative, how many more were found than counted."""
        return self.counts - self.accounted

    @property
    def difference_in_words(self) -> str:
        """The difference as a sentence without a full stop; empty if there is none."""
        if self.difference > 0:
            was, came = ("was", "it arrived") if self.difference == 1 else ("were", "they arrived")
            return (
                f"{self.difference:,} of {counted(self.counts, 'counted offer')} {was} on no page: "
                f"{came} while pages were read, or the count is wrong"
            )
        return f"the marketplace counts {self.counts:,}, {-self.difference:,} fewer" if self.difference else ""

    @property
    def besides_in_words(self) -> str:
        """The offers found by id beyond the count, as a sentence without a full stop; empty if there are none."""
        if not self.by_id_besides:
            return ""
        found = counted(self.by_id_besides, "more offer was found by its id", "more offers were found by their id")
        is_counted_twice = self.only_in_quarantine or self.unreadable_positions
        also = ", or counts as a row without an id or an unreadable position" if is_counted_twice else ""
        return f"{found}, which the marketplace does not count{also}"
