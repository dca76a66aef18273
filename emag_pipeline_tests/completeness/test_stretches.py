"""The rules of a stretch that are seen only when the listing moves between two of its reads."""

from emag_pipeline.sync.completeness.chain import Chain, Sizes
from emag_pipeline.sync.completeness.situation import ChainState
from emag_pipeline.sync.completeness.stretches import Stretch


def _pass(stretch: Stretch, *pages: list[int]) -> None:
    """Answer the reads of one pass."""
    for page in pages:
        read = stretch.take()
        assert read is not None
        stretch.answered(read, page)


def test_rows_behind_a_short_page_do_not_belong_to_the_stretch() -> None:
    """They have arrived since: what stands between them and the short page was not seen."""
    stretch = Stretch(0, 30, 10)
    full, short = list(range(10)), list(range(10, 15))
    for _ in range(2):
        _pass(stretch, full, short, [98, 99])
    assert (stretch.ids, stretch.is_united) == ([*full, *short], False)


def test_four_passes_are_made_to_find_two_that_agree() -> None:
    stretch = Stretch(0, 3, 10)
    for shown in ([1, 2], [1, 3], [1, 4]):
        _pass(stretch, shown)
        assert stretch.ids is None
    _pass(stretch, [1, 4])
    assert (stretch.ids, stretch.is_united) == ([1, 4], False)


def test_after_four_that_do_not_the_last_one_counts_and_is_marked() -> None:
    stretch = Stretch(0, 3, 10)
    for last in range(2, 6):
        _pass(stretch, [1, last])
    assert (stretch.ids, stretch.is_united) == ([1, 5], True)


def test_one_answer_that_is_too_long_may_be_a_glitch_and_two_are_none() -> None:
    sizes = Sizes()
    sizes.note_too_long(1)
    assert not sizes.are_ignored
    sizes.note_too_long(1)
    assert sizes.are_ignored
    chain = Chain(500, 100, 10_000)
    assert [chain.disobeyed(1), chain.state] == [False, ChainState.READING]
    assert [chain.disobeyed(1), chain.state] == [True, ChainState.TORN]
