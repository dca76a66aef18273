"""All scenarios, by theme: `emag-pipeline drill` plays them, and docs/faults.md is generated from them."""

from collections.abc import Sequence

from emag_pipeline.drills.scenario import Scenario, Theme
from emag_pipeline.drills.scenarios import (
    access,
    answers,
    bounds,
    database,
    deletions,
    drift,
    network,
    pages,
    parameters,
    processes,
    rows,
    slow_pages,
)
from emag_pipeline.errors import SettingsError

THEMES: Sequence[Theme] = (
    network.THEME,
    answers.THEME,
    access.THEME,
    parameters.THEME,
    pages.THEME,
    slow_pages.THEME,
    drift.THEME,
    rows.THEME,
    deletions.THEME,
    processes.THEME,
    database.THEME,
    bounds.THEME,
)


def all_scenarios() -> list[Scenario]:
    """Every scenario, in the document's order."""
    return [scenario for theme in THEMES for scenario in theme.scenarios]


def named(names: Sequence[str]) -> list[Scenario]:
    """The scenarios with these names; all scenarios if none is given. Raises SettingsError for an unknown name."""
    known = {scenario.name: scenario for scenario in all_scenarios()}
    for name in names:
        if name not in known:
            raise SettingsError(f"there is no drill {name!r}", remedy="`emag-pipeline drill --list` shows all")
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())
