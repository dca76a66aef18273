"""Programs of a home's `up` that somebody has stopped (SIGSTOP, a debugger): they live and answer nobody.

No death tells of them and no error names them: what they keep back is told elsewhere as silence, a busy machine or a
code server that cannot be reached.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from emag_pipeline.processes import is_stopped, is_worker
from emag_pipeline.running_up import home_of

#: What tells them by their command line.
_NAMES = (
    ("dagster._daemon", "daemon"),
    ("emag_pipeline.dagster_runs.code_server", "code-server"),
    ("dagster_webserver", "webserver"),
    ("emag_pipeline.sandbox", "sandbox"),
    ("exporter", "exporter"),
)


@dataclass(frozen=True, slots=True)
class StoppedProgram:
    """One of them: its name, as that of its log, or `run` for a process that executes a Dagster run; its number."""

    name: str
    pid: int

    @property
    def said(self) -> str:
        """What is wrong, in a sentence."""
        return f"{self.name} (process {self.pid}) is stopped and answers nobody: what it does is not done meanwhile"

    @property
    def remedy(self) -> str:
        """What makes it go on."""
        return f"`kill -CONT {self.pid}` lets it go on, `kill -KILL {self.pid}` has `emag-pipeline up` start it again"


def stopped_programs(home: Path) -> list[StoppedProgram]:
    """Those of this home, by the process table alone: nobody is asked, since whoever asks them waits."""
    wanted, found = home.resolve(), []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if is_stopped(process) and home_of(process) == wanted:
                found.append(StoppedProgram(_name(process, process.cmdline()), process.pid))
    return sorted(found, key=lambda one: (one.name, one.pid))


def _name(process: psutil.Process, arguments: Sequence[str]) -> str:
    if is_worker(process):
        return "run"
    return next((name for word, name in _NAMES if word in arguments), process.name())
