"""Figures of a scan to judge, built by hand."""

from typing import Any

from emag_pipeline.sync.figures import ScanFigures


def figures(**changes: Any) -> ScanFigures:
    """A complete scan of 1,200 offers on 12 pages of an account that has as many published, with some changes."""
    values: dict[str, Any] = {
        "count_before": 1200, "count_after": 1200, "pages_expected": 12, "pages_staged": 12, "rows": 1200,
        "distinct_ids": 1200, "rejected": 0, "quarantined": 0, "found_by_id": 0,
        "confirmed_gone": 0, "missing": 0, "published_before": 1200, "arrivals": 0, "rounds": 1,
        "proven": 1,
    }  # fmt: skip
    return ScanFigures(**{**values, **changes})
