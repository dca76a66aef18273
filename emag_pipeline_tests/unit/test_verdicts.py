from uuid import uuid4

import pytest

from emag_pipeline.db.audit import Figures
from emag_pipeline.db.ledger import Lease
from emag_pipeline.settings import load_settings
from emag_pipeline.sync.audit import Audit, judge
from emag_pipeline_tests.unit.figures import figures

_SETTINGS = load_settings({}, env_file=None)


def _failed(scan: Figures, *, approved: bool = False) -> set[str]:
    return {verdict.name for verdict in judge(scan, _SETTINGS, approved=approved) if not verdict.passed}


def test_a_complete_scan_passes_all_four() -> None:
    assert _failed(figures()) == set()


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"count_after": 1250}, "scan_is_complete"),
        ({"rows": 1210}, "offer_ids_are_unique"),
        ({"quarantined": 13}, "rejects_within_tolerance"),
        ({"published_before": 2000, "confirmed_gone": 401}, "volume_has_not_collapsed"),
        ({"published_before": 2000, "missing": 1}, "volume_has_not_collapsed"),
    ],
)
def test_each_check_fails_for_its_own_reason(changes: dict[str, int], check: str) -> None:
    assert check in _failed(figures(**changes))


def test_the_bounds_themselves_are_allowed() -> None:
    assert _failed(figures(quarantined=12, published_before=1500, confirmed_gone=300)) == set()


def test_an_approval_covers_judgement_and_never_completeness() -> None:
    shrunk = figures(published_before=2400, confirmed_gone=1200, quarantined=100)
    assert _failed(shrunk, approved=True) == set()
    assert _failed(figures(count_after=1201, rows=1300), approved=True) == {"scan_is_complete", "offer_ids_are_unique"}


def test_nothing_is_published_while_a_missing_offer_is_unaccounted_for_approved_or_not() -> None:
    assert _failed(figures(missing=1), approved=True) == {"volume_has_not_collapsed"}


def test_an_account_without_offers_passes() -> None:
    empty = figures(count_before=0, count_after=0, pages_expected=0, pages_staged=0, rows=0, distinct_ids=0)
    assert _failed(figures(**{**empty.as_proof(), "published_before": 0})) == set()


def test_a_refusal_names_the_numbers_and_the_command_that_approves() -> None:
    lease = Lease("main", uuid4(), uuid4(), attempt=1, resumed=False)
    shrunk = figures(published_before=2400, missing=1200)
    said = Audit(lease, judge(shrunk, _SETTINGS)).refusal().message
    assert "1,200 of 2,400 published offers have vanished (50.00%), 20% may vanish without approval" in said
    assert f"emag-pipeline approve {lease.sync_id}" in said


def test_an_incomplete_scan_cannot_be_approved() -> None:
    lease = Lease("main", uuid4(), uuid4(), attempt=1, resumed=False)
    assert "approve" not in Audit(lease, judge(figures(rows_beyond=3), _SETTINGS)).refusal().message
