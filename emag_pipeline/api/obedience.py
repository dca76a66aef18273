"""Is pagination obeyed? Where it is not, page 1 comes again and again, and no scan of it can be complete.

Parameters at the wrong place are ignored without a word (docs/marketplace-api.md, "Pages, counts and order"). So a
count asks for pages of 1, which nobody answers by default, and the first two pages of a listing are compared. No
recorded answer shows that every real count names the page size that it was asked for; where one does not, two reads
of one row decide.
"""

from collections.abc import Callable, Sequence

from emag_pipeline.api.json_text import shown
from emag_pipeline.api.pages import Count, ignored
from emag_pipeline.errors import ParametersIgnored


class Obedience:
    """Judges one listing in at most three calls, counted from the count that it is given."""

    def __init__(self, account: str, read_row: Callable[[int], Sequence[object]]) -> None:
        """`read_row` reads the page of that number with one row on it."""
        self._account = account
        self._read_row = read_row
        self._is_proven = False

    def judge_count(self, count: Count) -> None:
        """Look at the answer to a count that asked for pages of 1.

        Raises ParametersIgnored when neither the count nor two reads of one row obeyed.
        """
        if count.items_per_page == 1 or count.rows == 0:
            return
        named = "no page size" if count.items_per_page is None else f"a page size of {count.items_per_page:,}"
        first = self._read_row(1)
        if len(first) > 1:
            raise self._ignored(
                "itemsPerPage",
                f"asked for 1 row a page, its count named {named} and a read answered with {len(first):,} rows",
            )
        second = self._read_row(2) if count.rows > 1 else []
        if first and _ids(first) == _ids(second):
            raise self._ignored("currentPage", f"pages 1 and 2 of one row each show the same one, id {_ids(first)[0]}")
        self._is_proven = True

    def judge_pages(self, first: Sequence[object], second: Sequence[object], number: int) -> None:
        """Compare what the first page and the one of that number, read next, show: ids in order. Once is enough.

        Raises ParametersIgnored when the second shows the first once more.
        """
        if not self._is_proven and first and first == second:
            raise self._ignored("currentPage", f"page {number} shows the same {len(first):,} rows as page 1")
        self._is_proven = True

    def _ignored(self, what: str, why: str) -> ParametersIgnored:
        return ignored(what, why, where=self._account)


def _ids(rows: Sequence[object]) -> list[str]:
    return [shown(row.get("id") if isinstance(row, dict) else row) for row in rows]
