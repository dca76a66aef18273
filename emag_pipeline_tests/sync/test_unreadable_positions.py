"""Which positions count as unreadable while the offer that breaks them moves."""

from emag_pipeline.sync.listing import UnreadablePositions


def test_an_offer_that_moves_while_it_is_looked_for_counts_once() -> None:
    found = UnreadablePositions()
    assert found.failed(150)
    assert found.failed(151)  # an arrival in front
    found.shown(150, 151)
    assert (len(found), found.settled(), found.settled()) == (1, [150], [])
    found.shown(151, 152)
    assert found.failed(152)
    assert (len(found), found.settled()) == (1, [151])


def test_two_offers_that_break_their_pages_count_twice() -> None:
    found = UnreadablePositions()
    assert found.failed(150)
    assert found.failed(151)
    assert (len(found), found.settled()) == (2, [])


def test_the_last_of_several_positions_stays_though_all_of_them_were_shown_since() -> None:
    """The offer has slipped past the page that would have failed again."""
    found = UnreadablePositions()
    found.failed(150)
    found.failed(151)
    found.shown(0, 300)
    assert (len(found), found.settled()) == (1, [150])


def test_a_position_far_away_is_another_offers() -> None:
    found = UnreadablePositions()
    found.failed(150)
    found.failed(900)
    found.shown(0, 300)
    assert (len(found), found.settled()) == (2, [])


def test_of_more_than_there_are_those_that_a_page_has_shown_and_then_the_first_are_dropped() -> None:
    found = UnreadablePositions()
    for position in (150, 900, 1500):
        found.failed(position)
    found.shown(900, 1000)
    found.keep(2)
    assert (len(found), found.settled()) == (2, [900])
    found.keep(1)
    assert (len(found), found.settled()) == (1, [150])


def test_what_failed_again_is_made_durable_only_where_it_is_not() -> None:
    found = UnreadablePositions()
    found.restore([150, 151])
    assert not found.failed(150)
    found.shown(150, 151)
    assert not found.failed(150)  # it was to be counted no more, and nobody was told
    assert (len(found), found.settled()) == (2, [])
    found.shown(150, 151)
    assert found.settled() == [150]
    assert found.failed(150)
