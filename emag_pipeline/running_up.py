"""One `up` per home directory: a locked file that identifies it, the processes it started, and stopped ones.

The lock belongs to the process, so the kernel releases it however the process ends: a file left by a kill -9 blocks
nothing. Code servers and runs can outlive their parents and are then children of the init process, so they are not
found in the process tree; but they inherit the environment, where a variable names the home.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import TextIO

import psutil

from emag_pipeline.processes import is_stopped, is_worker, lives, variable_of
from emag_pipeline.settings.home import claim
from emag_pipeline.wording import counted, iso_now, minute

_FILE = "up.lock"
#: The variable with the home of an `up`, which all processes that it starts inherit.
MARK = "EMAG_UP_HOME"


@dataclass(frozen=True, slots=True)
class Instance:
    """A running `up`: its process, its UI's address, its start (ISO 8601, UTC), its ports by variable.

    And its accounts, None if it did not record them.
    """

    pid: int
    ui: str
    started_at: str
    ports: Mapping[str, int] = field(default_factory=dict)
    accounts: Sequence[str] | None = None

    @property
    def since(self) -> str:
        """Its start for people; as recorded if that is no time."""
        try:
            return minute(datetime.fromisoformat(self.started_at))
        except ValueError:
            return self.started_at

    @property
    def runs_for_seconds(self) -> float:
        """How long it has been running; infinite if it did not record its start."""
        try:
            return (datetime.now(UTC) - datetime.fromisoformat(self.started_at)).total_seconds()
        except ValueError:
            return inf

    def knows(self, account: str) -> bool:
        """Whether the account was configured when it started."""
        return self.accounts is None or account in self.accounts


@contextmanager
def claimed(
    home: Path, ui: str, ports: Mapping[str, int] | None = None, accounts: Sequence[str] | None = None
) -> Iterator[Instance | None]:
    """Become the home's only `up` in this context and yield None, or yield the one that is already running.

    Raises SettingsError for a home that cannot be used.
    """
    with _opened(home) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield _read(home / _FILE)
            return
        _write(file, Instance(os.getpid(), ui, iso_now(), ports or {}, accounts))
        try:
            yield None
        finally:
            file.truncate(0)


def running(home: Path) -> Instance | None:
    """The running `up` of this home; None if there is none."""
    try:
        with (home / _FILE).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(home / _FILE)
    except OSError:
        pass  # none ever ran here, or the file is another user's
    return None


def ended_ago(home: Path) -> float | None:
    """Seconds since the last `up` of this home was stopped; None if one is running or was killed, or none ever ran."""
    file = home / _FILE
    try:
        ended = file.stat()
    except OSError:
        return None
    return time.time() - ended.st_mtime if ended.st_size == 0 and running(home) is None else None


def mark(home: Path) -> dict[str, str]:
    """The variable that makes a process, and all that it starts, a member of this home's `up`."""
    return {MARK: str(home.resolve())}


def is_member() -> bool:
    """Whether an `up`, of whatever home, has started this process."""
    return MARK in os.environ


def members(home: Path) -> list[psutil.Process]:
    """The running processes that the `up` of this home has started, directly or not; without this process."""
    wanted = home.resolve()
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and home_of(process) == wanted]


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A killed `up`, whose programs are still running: its process id, None if unknown, and their number."""

    pid: int | None
    programs: int

    @property
    def said(self) -> str:
        """The problem in a sentence."""
        who = "`up`" if self.pid is None else f"`up` (process {self.pid})"
        return f"{who} was killed; its programs ({counted(self.programs, 'process', 'processes')}) run unsupervised"

    @property
    def remedy(self) -> str:
        """How to get a supervisor again."""
        return "Run `emag-pipeline up` again, which ends them first"


def left_behind(home: Path) -> LeftBehind | None:
    """What a killed `up` of this home has left running, which nothing restarts; None if there is nothing.

    A program that asks is not counted itself.
    """
    if running(home) is not None:
        return None
    left = [one for one in members(home) if lives(one)]
    if not left or running(home) is not None:  # an `up` that has started meanwhile
        return None
    return LeftBehind(_last_pid(home / _FILE), len(left))


def home_of(process: psutil.Process) -> Path | None:
    """The home whose `up` has started a process; None for a process of another user."""
    home = variable_of(process, MARK)
    return Path(home) if home else None


def elsewhere(home: Path) -> dict[Path, Instance]:
    """The other homes of this user with a running `up`, found by the programs that it has started."""
    homes = {other for process in psutil.process_iter() if (other := home_of(process)) is not None}
    homes -= {home.resolve()}
    return {other: found for other in sorted(homes) if (found := running(other)) is not None}


def _opened(home: Path) -> TextIO:
    return (claim(home) / _FILE).open("a")


def _write(file: TextIO, instance: Instance) -> None:
    file.truncate(0)
    json.dump(asdict(instance), file)
    file.flush()


def _last_pid(path: Path) -> int | None:
    """The process that held the lock last and could not empty the file at its end."""
    with suppress(OSError, ValueError, TypeError):
        return Instance(**json.loads(path.read_text())).pid
    return None


def _read(path: Path) -> Instance:
    for _ in range(20):  # the other process may have locked it and not written it yet
        try:
            return Instance(**json.loads(path.read_text()))
        except (ValueError, TypeError):
            time.sleep(0.05)
    return Instance(0, "unknown", "just now")


# Programs of a home's `up` that were stopped (SIGSTOP): they are running, but do not respond.
#
# They cause no error of their own: other parts report the effects, as a silent sensor, a busy machine or an unreachable
# code server.

#: The programs by a part of their command lines.
_NAMES = (
    ("dagster._daemon", "daemon"),
    ("emag_pipeline.dagster_runs.code_server", "code-server"),
    ("dagster_webserver", "webserver"),
    ("emag_pipeline.sandbox", "sandbox"),
    ("exporter", "exporter"),
)


@dataclass(frozen=True, slots=True)
class StoppedProgram:
    """One of them: its name, which is that of its log, or `run` for a process of a Dagster run; its process id."""

    name: str
    pid: int

    @property
    def said(self) -> str:
        """The problem in a sentence."""
        return f"{self.name} (process {self.pid}) is suspended (SIGSTOP) and does not respond; its work is on hold"

    @property
    def remedy(self) -> str:
        """How to continue or restart it."""
        return f"`kill -CONT {self.pid}` resumes it; after `kill -KILL {self.pid}`, `emag-pipeline up` restarts it"


def stopped_programs(home: Path) -> list[StoppedProgram]:
    """Those of this home, from the process table alone, because a query to a stopped program would wait."""
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
