"""Each rule of the decision code, broken on purpose: the judge has to see it."""

from collections.abc import Callable

import pytest

from emag_pipeline.sync.completeness import chain, ends, order, plain, runs, scan, settling, situation
from emag_pipeline.sync.completeness import settling as closing
from emag_pipeline.sync.completeness.reads import Window, behind
from emag_pipeline.sync.completeness.situation import ChainState, Phase
from emag_pipeline_tests.completeness.judge import Figures, judge
from emag_pipeline_tests.completeness.listing import Movement
from emag_pipeline_tests.completeness.play import LostItsWay, Network
from emag_pipeline_tests.completeness.settings import Group, Setting

Break = Callable[[pytest.MonkeyPatch], None]


def _joins_by_position(patch: pytest.MonkeyPatch) -> None:
    """Windows that touch by position join, whatever they show."""
    meet = runs._meet

    def always(windows: list[Window], window: Window, **how: bool) -> tuple[int, runs.Overlap] | None:
        met = meet(windows, window, **how)
        if met is None and windows[-1].first < window.first <= windows[-1].stop:
            return len(windows) - 1, runs.Overlap(1, 0, 0, 0, len(window.ids), 0)
        return met

    patch.setattr(runs, "_meet", always)


def _the_count_ends_it(patch: pytest.MonkeyPatch) -> None:
    """The listing ends where the count said."""

    def ended(self: chain.Chain, run: runs.WindowRun) -> None:
        self.state = ChainState.JOINED

    patch.setattr(chain.Chain, "_to_tail", ended)


def _a_short_page_ends_it(patch: pytest.MonkeyPatch) -> None:
    """A short page is the end, without a look behind it."""
    patch.setattr(ends.Tail, "_is_end", lambda self, short: True)
    patch.setattr(ends.Suspects, "is_no_end", lambda self, *about: False)


def _no_closing_step(patch: pytest.MonkeyPatch) -> None:
    """What the count leaves is not looked into."""
    patch.setattr(scan.ScanDecisions, "_after_chain", lambda self: setattr(self, "_phase", Phase.CONFIRM))
    patch.setattr(scan.ScanDecisions, "_settle", lambda self: setattr(self, "verdict", situation.Complete()))


def _found_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Offers that a read by id found are not kept."""
    confirmed = scan.ScanDecisions.confirmed
    patch.setattr(scan.ScanDecisions, "confirmed", lambda self, found, gone: confirmed(self, [], gone))


def _no_look_far_behind(patch: pytest.MonkeyPatch) -> None:
    """Rows behind the end are believed."""
    patch.setattr(ends.Tail, "_far_behind", lambda self, *about: None)


def _ends_after_one(self: plain.Readings, size: int, chain: chain.Chain | None) -> bool:
    if self.now is not None:
        self.done.append(self.now)
    self.now = None
    return False


def _one_plain_reading(patch: pytest.MonkeyPatch) -> None:
    """Plain pages are read once, as the old scan did in an account without new offers."""

    patch.setattr(scan.ScanDecisions, "_begin", lambda self, offers: self._open_plain())
    patch.setattr(plain.Readings, "end", _ends_after_one)


def _faults_are_not_remembered(patch: pytest.MonkeyPatch) -> None:
    """That two readings met the same fault at the same place is not looked at, nor that one met any."""
    patch.setattr(settling.ScanBalance, "_persistent_fault", lambda self: None)
    patch.setattr(settling.ScanBalance, "_is_broken", property(lambda self: False))
    patch.setattr(ends.Suspects, "accuse", lambda self: None)


def _a_cut_page_is_believed(patch: pytest.MonkeyPatch) -> None:
    """Rows behind a short page have always arrived there, however many they are."""
    patch.setattr(ends, "_FEW", 1_000)
    patch.setattr(ends, "behind", lambda place, size, not_page: behind(place, size))
    patch.setattr(ends.Suspects, "any", property(lambda self: False))


def _a_little_order_is_enough(patch: pytest.MonkeyPatch) -> None:
    """Two neighbours that both scans saw are an order."""
    patch.setattr(order, "_COMPARED", 0)


def _a_failed_head_is_done(patch: pytest.MonkeyPatch) -> None:
    """A head that could not be read again has shown nothing."""
    patch.setattr(closing, "_MOST_FAILURES", 1)
    patch.setattr(settling.ScanBalance, "_is_head_missed", property(lambda self: False))


def _group(setting: Setting, *expects: str) -> Group:
    return Group("mutation", "of a rule", lambda chance: Setting(**vars(setting)), 1, expects=expects)


# A first publish each, where no read by id makes up for a miss, and with departures that hide it from the count.
_SHRINKING = _group(Setting("created_desc", 1200, Movement(0, 2), Network(8), is_first=True), "missed", "refused")
_MISCOUNTED = _group(Setting("random", 1200, is_first=True, faults={"count_is_off": -220}), "missed", "refused")
_CUT_OFF = _group(Setting("created", 320, is_first=True, faults={"short_page": 30, "pages": frozenset({4})}), "missed")
_JUMPING = _group(Setting("changed_first", 2500, Movement(0, 0, 2), Network(4), is_first=True), "missed")
_HIDDEN = _group(
    Setting("created", 320, faults={"empty_page": True, "pages": frozenset(range(2, 20_000))}), "missed", "refused"
)
_ENDLESS = _group(Setting("created", 320, faults={"fresh_rows": True}), "wrong")
_REPEATING = _group(
    Setting("created", 1250, is_first=True, faults={"odd_sizes_shift": True, "repeats": 2, "pages": frozenset({5})}),
    "missed",
)
_PAIRS = _group(Setting("created", 1200, Movement(0.5, 1), Network(4), is_first=True), "missed")
_CUT = _group(
    Setting("id", 500, is_first=True, faults={"short_page": 60, "pages": frozenset({4, 5}), "count_is_off": -220}),
    "missed",
)
_UPLOADED = _group(Setting("changed_first", 3, Movement(1 / 15, 0.3, 0.3), arrived=2_497), "missed")
_NO_HEAD = _group(
    Setting("changed_first", 2500, Movement(1 / 15, 0.3, 0.3), is_first=True, faults={"head_fails": 9}), "missed"
)

_BROKEN: dict[str, tuple[Break, Group]] = {
    "windows join by position": (_joins_by_position, _SHRINKING),
    "the count ends it": (_the_count_ends_it, _MISCOUNTED),
    "a short page ends it": (_a_short_page_ends_it, _CUT_OFF),
    "no closing step": (_no_closing_step, _JUMPING),
    "found is forgotten": (_found_is_forgotten, _HIDDEN),
    "no look far behind": (_no_look_far_behind, _ENDLESS),
    "one plain reading": (_one_plain_reading, _PAIRS),
    "a cut page is believed": (_a_cut_page_is_believed, _CUT),
    "a little order is enough": (_a_little_order_is_enough, _UPLOADED),
    "a failed head is done": (_a_failed_head_is_done, _NO_HEAD),
    "faults are not remembered": (_faults_are_not_remembered, _REPEATING),
}


def _against(group: Group) -> list[str]:
    try:
        figures: Figures = judge(group, 12, seed="mutation")
    except LostItsWay as lost:
        return [str(lost)]
    return figures.against()


@pytest.mark.parametrize("name", _BROKEN)
def test_the_judge_sees_a_broken_rule(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    break_it, group = _BROKEN[name]
    assert _against(group) == []
    break_it(monkeypatch)
    assert _against(group) != []
