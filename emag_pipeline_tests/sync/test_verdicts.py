from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from emag_pipeline.settings import load_settings
from emag_pipeline.sync.audit import Audit, AuditVerdict, count_agrees, judge
from emag_pipeline.sync.figures import ScanFigures
from emag_pipeline.sync.ledger import Approval, Lease
from emag_pipeline.sync.quarantine import RejectReason
from emag_pipeline_tests.sync.figures import figures

_SETTINGS = load_settings({}, env_file=None)
_APPROVAL = Approval(uuid4(), "ana", datetime(2026, 3, 1, 4, tzinfo=UTC))


def _failed(scan: ScanFigures, *, approved: bool = False) -> set[str]:
    approval = _APPROVAL if approved else None
    return {verdict.name for verdict in judge(scan, _SETTINGS, approval=approval) if not verdict.passed}


def test_a_complete_scan_passes_all_four() -> None:
    assert _failed(figures()) == set()


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"proven": 0}, "scan_is_complete"),
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
    *_, rejects, volume = judge(shrunk, _SETTINGS, approval=_APPROVAL)
    said = f"; approved by ana at 2026-03-01 04:00 UTC (sync {_APPROVAL.sync_id})"
    assert rejects.sentence.endswith(f"are in quarantine (7.69%), 1.00% are tolerated{said}")
    assert volume.sentence.endswith(f"20% may vanish without approval{said}")
    assert (rejects.findings, volume.findings) == (100, 1200)
    within = judge(figures(), _SETTINGS, approval=_APPROVAL)
    assert not any("approved" in verdict.sentence for verdict in within), "nobody's approval was needed"
    assert _failed(figures(proven=0, rows=1300), approved=True) == {"scan_is_complete", "offer_ids_are_unique"}


def test_nothing_is_published_while_a_missing_offer_is_unaccounted_for_approved_or_not() -> None:
    assert _failed(figures(missing=1), approved=True) == {"volume_has_not_collapsed"}


def _empty(**changes: int) -> ScanFigures:
    """An empty catalogue of an account that has never had offers, with some changes."""
    nothing = dict.fromkeys(
        (
            "count_before",
            "count_after",
            "pages_expected",
            "pages_staged",
            "rows",
            "distinct_ids",
            "published_before",
        ),
        0,
    )
    return figures(**{**nothing, **changes})


def test_an_account_that_never_had_offers_may_be_empty() -> None:
    assert _failed(_empty()) == set()


def test_an_empty_scan_of_an_account_that_has_offers_is_refused_whatever_may_shrink() -> None:
    everything = _SETTINGS.model_copy(update={"max_shrink": 1.0})
    (verdict,) = [one for one in judge(_empty(published_before=2, confirmed_gone=2), everything) if not one.passed]
    assert (verdict.name, verdict.is_about_emptiness) == ("volume_has_not_collapsed", True)
    assert "the scan contains no publishable offer, the marketplace counts 0" in verdict.sentence


def test_a_first_publish_of_nothing_is_refused_while_the_marketplace_counts_offers() -> None:
    lenient = _SETTINGS.model_copy(update={"reject_tolerance": 1.0})
    unreadable = _empty(
        count_before=3,
        count_after=3,
        pages_expected=1,
        pages_staged=1,
        quarantined=3,
        rejected=3,
    )
    assert [one.name for one in judge(unreadable, lenient) if not one.passed] == ["volume_has_not_collapsed"]


def test_the_parts_of_the_count_add_up_with_unreadable_positions_and_what_is_found_beside_it() -> None:
    scan = figures(rows=1195, distinct_ids=1195, rejected=1, unreadable_positions=2, unreadable_by_id=1, found_by_id=5)
    assert judge(scan, _SETTINGS)[0].sentence == (
        "all 1,200 counted offers are accounted for: 1,195 staged from pages + 1 only in quarantine + "
        "2 at unreadable positions + 2 found by their id only; 3 more offers were found by their id, "
        "which the marketplace does not count, or counts as a row without an id or an unreadable position"
    )
    assert judge(figures(found_by_id=1), _SETTINGS)[0].sentence.endswith(
        "1,200 staged from pages; 1 more offer was found by its id, which the marketplace does not count"
    )


def _volume(scan: ScanFigures) -> AuditVerdict:
    return judge(scan, _SETTINGS)[3]


def test_before_the_first_publish_there_is_nothing_to_lose() -> None:
    verdict = _volume(_empty())
    assert verdict.passed
    assert verdict.sentence == "no offer was published before, so none can be lost"
    assert verdict.numbers["vanished"] == 0


def test_what_a_reviewer_should_know_of_the_proof_stands_in_its_sentence() -> None:
    marks = ("the count itself is wrong", "the count leaves a remainder of 7")
    verdict = judge(figures(count_after=1207, marks=marks), _SETTINGS)[0]
    assert verdict.passed
    assert verdict.sentence == (
        "no offer that existed throughout the scan is left out: 1,200 staged from pages; "
        "7 of 1,207 counted offers were on no page: they arrived while pages were read, or the count is wrong; "
        "the count itself is wrong"
    )


@pytest.mark.parametrize(
    ("changes", "agrees"),
    [
        ({}, True),
        ({"remainder": 12}, True),
        ({"remainder": 13}, True),
        ({"remainder": -13}, True),
        ({"count_before": 1700, "remainder": -400}, True),
        ({"count_after": 1700, "remainder": 400}, True),
        ({"remainder": 2, "marks": ("the count itself is wrong",)}, False),
    ],
    ids=["equal", "few", "too high", "too low", "departures", "arrivals", "the same in two readings"],
)
def test_a_count_agrees_but_for_what_came_or_went_between_the_counts(changes: dict[str, Any], agrees: bool) -> None:
    assert count_agrees(figures(**changes)).passed == agrees


@pytest.mark.parametrize(
    ("left", "before", "agrees"),
    [
        (50, {"remainder": 50, "pause_seconds": 2}, False),
        (-50, {"remainder": -52, "pause_seconds": 2}, False),
        (50, {}, True),
        (50, {"remainder": 30, "pause_seconds": 2}, True),
        (50, {"remainder": -50, "pause_seconds": 2}, True),
        (50, {"remainder": 50, "pause_seconds": 300}, True),
        (50, {"remainder": 50}, True),
        (2, {"remainder": 2, "pause_seconds": 2}, True),
    ],
    ids=["too low", "too high", "first", "less", "other way", "paused", "of an older version", "few"],
)
def test_a_difference_is_the_counts_own_error_where_two_syncs_left_it(
    left: int, before: dict[str, Any], agrees: bool
) -> None:
    verdict = count_agrees(figures(remainder=left, pause_seconds=3), before)
    assert verdict.passed == agrees
    assert ("the previous sync left the same difference" in verdict.sentence) == (not agrees)
    assert count_agrees(figures(remainder=left, pause_seconds=300), before).passed, "the pause explains it"


def test_a_difference_that_movement_explains_is_told_with_the_age_of_the_pages_and_blames_nobody() -> None:
    left = count_agrees(figures(remainder=-50, oldest_page_seconds=260, pause_seconds=240))
    assert left.sentence == (
        "the marketplace counts 1,200 offers before the scan and 1,200 after it, 1,250 are accounted for; pages were "
        "read up to 4 minutes before the last count, and offers may have left since; the next sync asks for those that "
        "it no longer sees"
    )
    came = count_agrees(figures(remainder=50, oldest_page_seconds=40)).sentence
    assert came.endswith(
        "read up to 40 seconds before the last count, and offers may have arrived since; the next sync shows them"
    )


def test_missing_offers_that_are_few_enough_are_named_as_what_keeps_the_scan_back() -> None:
    said = _volume(figures(published_before=2000, missing=1)).sentence
    assert said.endswith("1 missing offer has not been confirmed by its id")


def test_who_may_approve_that_offers_vanish_is_told_what_the_count_leaves() -> None:
    left = figures(published_before=2400, missing=1200, count_after=2400, remainder=1200)
    assert _volume(left).sentence.endswith("; 1,200 of 2,400 counted offers are not accounted for")
    assert "accounted" not in _volume(figures(published_before=2400, missing=1200)).sentence


@pytest.mark.parametrize("kind", ["quarantined", "unreadable_rows", "unreadable_positions"])
def test_the_tolerance_is_about_rows_fields_and_positions_alike(kind: str) -> None:
    assert "rejects_within_tolerance" not in _failed(figures(**{kind: 12}))
    assert "rejects_within_tolerance" in _failed(figures(**{kind: 13}))


def test_what_could_not_be_read_is_told_apart() -> None:
    mixed = figures(quarantined=10, unreadable_rows=20, unreadable_positions=1)
    assert judge(mixed, _SETTINGS)[2].sentence == (
        "31 of 1,211 rows cannot be used as they are (2.56%), 1.00% are tolerated: 10 in quarantine, "
        "20 with unreadable fields, 1 that the marketplace fails to show"
    )


def test_one_offer_is_told_as_one() -> None:
    lone = {"count_before": 1, "count_after": 1, "published_before": 1}
    there = figures(rows=1, distinct_ids=1, **lone)
    complete, unique, _, volume = (verdict.sentence for verdict in judge(there, _SETTINGS))
    assert complete == "the one counted offer is accounted for: 1 staged from pages"
    assert unique == "the one offer is staged once"
    assert volume.startswith("0 of 1 published offer have vanished")
    assert count_agrees(there).sentence == (
        "the marketplace counts 1 offer before the scan and 1 after it, 1 is accounted for"
    )
    gone = figures(rows=0, distinct_ids=0, quarantined=1, confirmed_gone=1, **lone)
    _, unique, rejects, volume = (verdict.sentence for verdict in judge(gone, _SETTINGS))
    assert unique == "no offer is staged"
    assert rejects.startswith("1 of 1 row is in quarantine")
    assert volume.startswith("1 of 1 published offer has vanished")


def test_an_offer_at_an_unreadable_position_that_is_known_by_its_id_counts_once() -> None:
    one = figures(rows=1199, distinct_ids=1199, quarantined=1, unreadable_positions=1, unreadable_by_id=1)
    assert (one.not_read, one.rows_and_positions) == (1, 1200)


def test_a_known_offer_whose_row_has_lost_its_id_counts_once() -> None:
    two = figures(rows=298, distinct_ids=298, quarantined=4, without_id_twice=2)
    assert (two.not_read, two.rows_and_positions) == (2, 300)
    assert judge(two, _SETTINGS)[2].passed


_REASONS = (
    RejectReason("main", "id is …, not a whole number", 15, "quarantined", None, 4),
    RejectReason("main", "id … appears on this page already", 4, "quarantined", 123, 2),
    RejectReason("main", "the row is …, not an object", 1, "quarantined", None, 9),
)


def _refused(scan: ScanFigures, lease: Lease, reasons: tuple[RejectReason, ...] = ()) -> str:
    return Audit(lease, judge(scan, _SETTINGS, reasons)).refusal().message


@pytest.fixture
def lease() -> Lease:
    return Lease("main", uuid4(), uuid4(), attempt=1, resumed=False)


def test_a_refusal_names_the_numbers_and_the_command_that_approves(lease: Lease) -> None:
    said = _refused(figures(published_before=2400, missing=1200), lease)
    assert "1,200 of 2,400 published offers have vanished (50.00%), 20% may vanish without approval" in said
    assert f"emag-pipeline approve {lease.sync_id}`" in said


def test_a_refusal_for_rejects_names_the_commonest_reasons_and_an_example(lease: Lease) -> None:
    said = _refused(figures(quarantined=20), lease, _REASONS)
    assert (
        "20 of 1,220 rows are in quarantine (1.64%), 1.00% are tolerated; "
        'most often "id is …, not a whole number" (15), '
        '"id … appears on this page already" (4), "the row is …, not an object" (1); '
        "for example a row without an id on page 4."
    ) in said


def test_a_refusal_for_rejects_says_first_how_to_see_them_and_then_how_to_approve(lease: Lease) -> None:
    said = _refused(figures(quarantined=20), lease, _REASONS)
    assert said.index("`emag-pipeline rejects --account main`") < said.index(f"`emag-pipeline approve {lease.sync_id}`")


def test_a_refusal_of_an_emptied_account_names_the_option_that_accepts_it(lease: Lease) -> None:
    said = _refused(_empty(published_before=520, missing=520), lease)
    assert f"`emag-pipeline approve {lease.sync_id} --even-if-empty`" in said


def test_reasons_are_left_out_where_the_rejects_are_few() -> None:
    assert "most often" not in judge(figures(quarantined=1), _SETTINGS, _REASONS)[2].sentence


def test_an_incomplete_scan_cannot_be_approved(lease: Lease) -> None:
    assert "approve" not in _refused(figures(proven=0), lease)


def test_an_offer_whose_row_has_lost_its_id_and_that_was_read_by_its_id_is_counted_once() -> None:
    before = {"remainder": -6, "pause_seconds": 3}
    counts = {"count_before": 400, "count_after": 400, "remainder": -6, "pause_seconds": 3}
    once = figures(**counts, rows=394, distinct_ids=394, rejected=6, quarantined=12, found_by_id=6, without_id_twice=6)
    verdict = count_agrees(once, before)
    assert (verdict.passed, verdict.numbers["accounted"]) == (True, 400)
    assert not count_agrees(figures(**counts, rows=406, distinct_ids=406, rejected=0, quarantined=0), before).passed
