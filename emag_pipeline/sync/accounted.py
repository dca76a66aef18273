"""What became of every offer that the marketplace counts: parts that add up, the same for all who show them."""

from collections.abc import Mapping
from dataclasses import dataclass

from emag_pipeline.wording import counted


@dataclass(frozen=True, slots=True)
class Accounted:
    """The parts of a scan's count, from its proof (`figures.ScanFigures`), which add up to `accounted`.

    That is the marketplace's count, but for offers that came or went while it was read, and for a count that is wrong.
    """

    #: what the marketplace counted after the scan
    counts: int
    #: different offers staged from pages
    from_pages: int
    #: offers that pages showed only as rows in quarantine
    only_in_quarantine: int
    #: second rows of offers that stand twice in the listing
    second_rows: int
    #: positions of the listing at which every page fails
    unreadable_positions: int
    #: offers that no page showed and a read by their id found, as far as the count needs them
    by_id_only: int
    #: further ones: not counted by the marketplace, or counted as a row without an id or an unreadable position
    by_id_besides: int

    @classmethod
    def of(cls, proof: Mapping[str, int]) -> "Accounted":
        """From the numbers of a sync's proof, also an older version's. KeyError where it has not come that far."""
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
        """The parts of the count by what they are, for people."""
        return {
            "staged from pages": self.from_pages,
            "only in quarantine": self.only_in_quarantine,
            "second rows of an offer": self.second_rows,
            "at unreadable positions": self.unreadable_positions,
            "found by their id only": self.by_id_only,
        }

    @property
    def sum_in_words(self) -> str:
        """E.g. `315 staged from pages + 2 only in quarantine`; parts of 0 are left out, but for the first."""
        first, *others = [f"{number:,} {words}" for words, number in self.parts.items()]
        return " + ".join([first, *(one for one in others if not one.startswith("0 "))])

    @property
    def sentences(self) -> list[str]:
        """What became of the counted offers, as sentences without ends: the parts, what differs, what is besides."""
        what = f"all {self.counts:,} counted offers are accounted for"
        if self.counts < 2:
            what = "the one counted offer is accounted for" if self.counts else "no offer is counted"
        if self.difference:
            what = "nothing that was there throughout is left out"
        said = [f"{what}: {self.sum_in_words}", self.difference_in_words, self.besides_in_words]
        return [one for one in said if one]

    @property
    def difference(self) -> int:
        """Counted offers that no part accounts for; below 0, how many more there are than counted."""
        return self.counts - self.accounted

    @property
    def difference_in_words(self) -> str:
        """By how much the count differs from its parts, as a sentence without its end; empty where it does not."""
        if self.difference > 0:
            came = "it came" if self.difference == 1 else "they came"
            return (
                f"{self.difference:,} of {counted(self.counts, 'counted offer')} stood on no page: "
                f"{came} while pages were read, or the count is wrong"
            )
        return f"the marketplace counts {self.counts:,}, {-self.difference:,} fewer" if self.difference else ""

    @property
    def besides_in_words(self) -> str:
        """What reads by id found beside the count, as a sentence without its end; empty where that is nothing."""
        if not self.by_id_besides:
            return ""
        found = counted(self.by_id_besides, "more offer was found by its id", "more offers were found by their id")
        is_counted_twice = self.only_in_quarantine or self.unreadable_positions
        also = ", or counts as a row without an id or an unreadable position" if is_counted_twice else ""
        return f"{found}, which the marketplace does not count{also}"
