"""The list of drills."""

import pytest

from emag_pipeline.drills.judgement import is_said
from emag_pipeline.drills.scenario import Scenario
from emag_pipeline.drills.scenarios import all_scenarios, named
from emag_pipeline.errors import SettingsError, exit_code_of

_ALL = all_scenarios()


def test_names_are_unique() -> None:
    assert len({one.name for one in _ALL}) == len(_ALL)


@pytest.mark.parametrize("one", _ALL, ids=lambda one: one.name)
def test_whatever_fails_says_why(one: Scenario) -> None:
    assert bool(one.expected.message) == (one.expected.exit_code > 0)


@pytest.mark.parametrize("one", [one for one in _ALL if one.expected.exit_code > 0], ids=lambda one: one.name)
def test_exit_codes_are_those_of_the_error_classes(one: Scenario) -> None:
    assert exit_code_of(one.expected.error_class) == one.expected.exit_code


def test_an_unknown_drill_is_wrong_usage() -> None:
    with pytest.raises(SettingsError, match=r"no drill 'kill'.*--list"):
        named(["kill"])


def test_dots_in_a_message_stand_for_any_text() -> None:
    assert is_said("main, sync …: over. Wait.", "main, sync 12-ab: over. Wait.")
    assert not is_said("main, sync …: over. Wait.", "main, sync 12-ab: over; Wait.")
