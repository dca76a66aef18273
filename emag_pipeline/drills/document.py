"""docs/faults.md, written from the scenarios: `python -m emag_pipeline.drills.document` in a checkout."""

import signal
from collections.abc import Iterator
from pathlib import Path

from emag_pipeline.drills.scenario import Scenario, Theme
from emag_pipeline.drills.scenarios import THEMES
from emag_pipeline.errors import exit_code_of

PATH = Path("docs/faults.md")
_HEAD = """\
# Faults, and what the pipeline does about them

Written by `python -m emag_pipeline.drills.document` from the list that `emag-pipeline drill` plays; do not
edit it. `emag-pipeline drill NAME` shows one of them happening, `make drills` all: with real runs against the sandbox,
on a PostgreSQL server of its own. A drill is good only if the run ended as this page says, with this very message,
and if afterwards not one offer is lost, wrong or wrongly deleted.

- An account that is not published again keeps what it showed before: readers never see part of a scan.
- Where a run fails, the next one is the schedule's, or `emag-pipeline sync`. It *resumes* (pages that are durable are
  not read again) or reads *anew*, as said below.
- Error classes stand in the ledger (`emag_offer_syncs.error_class`), in `emag-pipeline status` and in the metrics. Exit
  codes: 0 done, 1 failed and a retry may help, 2 wrong settings, 3 refused by the audit, 4 another sync is running, 5
  failed and a retry cannot help, 130 interrupted.
- Where a fault passes, the drill makes one more call that meets it for good: the message is what that call says. At the
  end of a run that gave up, it also says how often it was tried.
- In messages, `…` stands for what differs from run to run.
- *for how long* is told from the code's settings; drills do not measure it.
"""
_COLUMNS = ("drill", "fault", "what the pipeline does", "for how long", "ends with", "what it says")


def rendered() -> str:
    """The whole document."""
    return "\n".join([_HEAD, *(line for theme in THEMES for line in _section(theme))])


def _section(theme: Theme) -> Iterator[str]:
    yield f"## {theme.title}"
    yield ""
    yield _row(*_COLUMNS)
    yield _row(*("---" for _ in _COLUMNS))
    for scenario in theme.scenarios:
        yield _row(*_cells(scenario))
    yield ""


def _cells(one: Scenario) -> Iterator[str]:
    yield f"`{one.name}`"
    yield f"{one.fault}. Here: {one.produced}"
    yield one.answer
    yield one.lasts
    yield _ending(one)
    message = one.persisting.message if one.persisting else one.expected.message
    yield f"`` {message} ``" if message else ""


def _ending(one: Scenario) -> str:
    if one.expected.exit_code < 0:
        return signal.Signals(-one.expected.exit_code).name
    if one.expected.exit_code:
        return f"`{one.expected.error_class}`, exit code {one.expected.exit_code}"
    if one.persisting is None:
        return "published"
    error_class = one.persisting.error_class
    return f"published; if it persists, `{error_class}`, exit code {exit_code_of(error_class)}"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


if __name__ == "__main__":
    PATH.write_text(rendered(), encoding="utf-8")
