"""Stories in which one piece of evidence looks like proof and is none.

Each was published wrongly once, or never ended.
"""

import random
from collections.abc import Mapping
from typing import Any

from emag_pipeline_tests.completeness.listing import STABLE, STILL, Movement
from emag_pipeline_tests.completeness.play import Network
from emag_pipeline_tests.completeness.settings import Draw, Group, Setting, networks

_MOVING = Movement(1 / 15, 1 / 15)
#: Moves enough while it is read that a scan which does not look again misses something.
_LIVELY = Movement(1 / 15, 0.3, 0.3)
_NONE = ("missed", "kept", "refused")
#: Plain pages, united, may lose an offer that slips past a border in each reading; the proof says that they were.
_UNITED = ("unmarked", "kept", "refused")


def stories() -> list[Group]:
    """The groups; each resumes every fifth of its scans from what is durable."""
    return [
        *(_group(f"{old:,} of 2,500 published, last changed first", _upload(old)) for old in (3, 100, 1_250, 2_000)),
        _group("3 published, 300 or 2,500 uploaded, offers that stay keep their order", _upload_in_order),
        _group("pages show 50 rows, whatever is asked", _odd({"shows_at_most": 50})),
        _group("pages show 30 rows, whatever is asked", _odd({"shows_at_most": 30})),
        _group("the first position fails 1 to 3 times when it is read again", _failing_head, "kept", "refused"),
        _group("the first position fails always", _head_fails_always, *_UNITED),
        _group("other than the usual sizes show 100 rows", _odd({"odd_sizes_are_100": True}), *_UNITED),
        _group("the same, with pages of 30, 25, 97 or 7", _disobeyed, *_UNITED),
        _group("plain pages of 100, always killed", _killed_plain, *_UNITED),
        _group("an unreadable offer on the last page, plain pages", _poison_at_the_end),
        Group("large", "100,000 offers, 500 neighbours depart at one moment", _bulk_deletion, 0.00003, most=3),
        Group("lies", "the listing goes on behind its count", _goes_on, 0.002, expects=("published",)),
    ]


def _group(name: str, draw: Draw, *expects: str) -> Group:
    return Group("evidence", name, draw, 0.004, expects=expects or _NONE)


def _upload(old: int) -> Draw:
    """Nothing of what was published has changed between the scans, so that its order says nothing."""

    def draw(chance: random.Random) -> Setting:
        movement = chance.choice((_LIVELY, Movement(1 / 15, 1 / 15, 0.3)))
        return Setting("changed_first", old, movement, networks(chance), arrived=2_500 - old)

    return draw


def _upload_in_order(chance: random.Random) -> Setting:
    arrived = chance.choice((300, 2_500))
    return Setting(chance.choice(STABLE), 3, chance.choice((STILL, _MOVING)), networks(chance), arrived=arrived)


def _odd(faults: Mapping[str, Any]) -> Draw:
    def draw(chance: random.Random) -> Setting:
        return Setting(
            order=chance.choice(STABLE),
            offers=chance.choice((20, 120, 320, 1_200, 1_500)),
            movement=chance.choice((STILL, _MOVING, Movement(0.2, 0.2))),
            network=networks(chance),
            is_first=chance.random() < 0.5,
            departed=3,
            arrived=3,
            faults=faults,
        )

    return draw


def _failing_head(chance: random.Random) -> Setting:
    return _head(chance, chance.choice((1, 2, 3)))


def _head_fails_always(chance: random.Random) -> Setting:
    return _head(chance, 1_000_000)


def _head(chance: random.Random, fails: int) -> Setting:
    offers, network = chance.choice((320, 1_200, 2_500)), networks(chance)
    return Setting("changed_first", offers, _LIVELY, network, is_first=True, faults={"head_fails": fails})


def _disobeyed(chance: random.Random) -> Setting:
    setting = _odd({"odd_sizes_are_100": True})(chance)
    setting.page_size = chance.choice((30, 25, 97, 7))
    setting.offers = min(setting.offers, 320)
    return setting


def _killed_plain(chance: random.Random) -> Setting:
    setting = _odd({})(chance)
    setting.network = Network(under_way=chance.choice((1, 4)), killed=1.0)
    setting.ignores_odd_sizes = True
    return setting


def _poison_at_the_end(chance: random.Random) -> Setting:
    page_size = chance.choice((100, 50, 20, 10, 5))
    return Setting(
        order=chance.choice(STABLE),
        offers=chance.choice((12, 105, 320)),
        network=networks(chance),
        page_size=page_size,
        is_first=chance.random() < 0.5,
        poisoned=1,
        poisons_last_page=True,
        ignores_odd_sizes=True,
    )


def _bulk_deletion(chance: random.Random) -> Setting:
    return Setting("created", 100_000, Movement(burst=500), Network(killed=0.5), is_first=chance.random() < 0.5)


def _goes_on(chance: random.Random) -> Setting:
    movement, is_first = chance.choice((STILL, _MOVING)), chance.random() < 0.5
    return Setting("created", 320, movement, networks(chance), is_first=is_first, faults={"goes_on": True})
