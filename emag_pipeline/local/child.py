"""A program that this process starts: in its own session, with a log of limited size that errors can quote."""

import json
import os
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from emag_pipeline import wording
from emag_pipeline.errors import TransientError
from emag_pipeline.processes import is_stopped
from emag_pipeline.wording import counted

#: time limit for a program to become ready
START_SECONDS = 120.0
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Program:
    """One program: its name (and its log's), its command line without secrets, and whether it is ready."""

    name: str
    command: tuple[str, ...]
    is_ready: Callable[[], bool] = lambda: True


class Child:
    """A started program. Ctrl-C in the terminal reaches only its parent, which decides the order of stopping."""

    def __init__(
        self,
        program: Program,
        environment: Mapping[str, str],
        logs: Path,
        *,
        cwd: str | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int | None = None,
    ) -> None:
        """Its output goes to `NAME.log` in `logs`; its standard output to `stdout`, if given."""
        self.program = program
        self.log = logs / f"{program.name}.log"
        self._size_before = wording.size(self.log)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                program.command,
                env=dict(environment),
                cwd=cwd,
                stdin=stdin,
                stdout=output if stdout is None else stdout,
                stderr=output,
                text=True,
                start_new_session=True,
            )

    def died(self) -> str | None:
        """How it ended, in words; None while it is running."""
        code = self.process.poll()
        if code is None:
            return None
        return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"

    @property
    def is_stopped(self) -> bool:
        """Whether it is stopped by SIGSTOP or a debugger."""
        try:
            return is_stopped(psutil.Process(self.process.pid))
        except psutil.NoSuchProcess:
            return False

    def await_ready(self, pause: Callable[[float], None] = time.sleep) -> None:
        """Wait until it is ready, calling `pause` between checks.

        Raises TransientError if it dies, with its last output, or is not ready in time, with the errors of its log.
        """
        until = time.monotonic() + START_SECONDS
        while not self.program.is_ready():
            if how := self.died():
                raise self.broken(how)
            if time.monotonic() > until:
                raise self._not_ready()
            pause(_LOOK_SECONDS)

    def stop(self) -> None:
        """Ask it to stop (SIGTERM), if it has not ended."""
        self.process.terminate()

    def wait(self, seconds: float) -> int:
        """Wait at most this long for its end, then kill it. Returns its exit code, negative after a signal."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def see_log(self, words: str) -> str:
        """The words with the log's name for `{log}`; empty if this program wrote nothing, e.g. when it was killed."""
        return wording.see(words, self.log, self._size_before)

    def broken(self, how: str) -> TransientError:
        """The error of a program that ended unexpectedly."""
        remedy = wording.see("Its full log is {log}", self.log) or "It wrote nothing to its log; start again"
        why = last_errors(self.log) or last_lines(self.log)
        return TransientError(f"the {self.program.name} {how}", why=why, remedy=remedy)

    def _not_ready(self) -> TransientError:
        """The error of a program that is not ready in time; it quotes its log's errors, not its last lines."""
        why = last_errors(self.log) or ": ".join(filter(None, ("its log names no error", busy_words())))
        again = "start again when this machine is less busy" if busy_words() else "start again"
        remedy = wording.see("look into its log {log}; if that says no more, ", self.log) + again
        return TransientError(
            f"the {self.program.name} is not ready after {START_SECONDS:.0f} s",
            why=why,
            remedy=remedy[:1].upper() + remedy[1:],
        )


def busy_words() -> str:
    """A remark with the load, if this machine is too busy for programs to respond in time; else empty."""
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    return f"this machine is busy (load {load:.1f} on {counted(processors, 'processor')})" if load > processors else ""


# The errors and the ends of tracebacks in a program's log, in any of its formats.

_TAIL_BYTES = 65_536
_MOST_LINES = 5
_TRACEBACK = "Traceback (most recent call last)"
#: levels as Dagster writes them, and as our programs do in a terminal
_ERROR = re.compile(r" - (?:ERROR|CRITICAL) - |\[(?:error|critical)\s*\]")


def last_lines(log: Path) -> str:
    """The end of a log in one line."""
    said = [message.strip() for message, _ in _entries(log)]
    return " | ".join([one for one in said if one][-_MOST_LINES:])


def last_errors(log: Path) -> str:
    """The last errors of a log in one line: lines of that level, and the ends of tracebacks. Empty if it has none."""
    return " | ".join(list(dict.fromkeys(_errors(list(_entries(log)))))[-_MOST_LINES:])


def _errors(entries: Sequence[tuple[str, bool]]) -> Iterator[str]:
    is_within = False
    for message, is_error in entries:
        first = message.split("\n", 1)[0]
        if is_within and message.strip() and not message[:1].isspace():
            is_within = False
            yield message.strip()
        elif first.startswith(_TRACEBACK):
            is_within = True
        elif is_error:
            yield first.strip()


def _entries(log: Path) -> Iterator[tuple[str, bool]]:
    """The text of each of its last lines, and whether it is an error."""
    for line in _tail(log):
        entry = _object(line)
        if entry is None:
            yield line, _ERROR.search(line) is not None
            continue
        said = str(entry.get("message") or entry.get("event") or line)
        ended = str(entry.get("exception") or "").strip().splitlines()[-1:]
        yield ": ".join([said, *ended]), str(entry.get("level")).lower() in ("error", "critical")


def _tail(log: Path) -> list[str]:
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        return file.read().decode(errors="replace").rstrip().splitlines()


def _object(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


#: Maximum size of one file, and number of older ones kept, as `daemon.log.1` (the newest) to `daemon.log.3`.
LARGEST_BYTES = 10 * 2**20
KEPT = 3


def set_aside(log: Path) -> None:
    """Rotate the log: the current file becomes `.1`. Does nothing if there is none."""
    if log.exists():
        _shift(log)
        log.replace(_older(log, 1))


def keep_small(log: Path, largest_bytes: int = LARGEST_BYTES) -> None:
    """Rotate the file if it is larger: its content moves to `.1`. Does nothing if there is none.

    The program keeps the file open, so it is copied and then truncated; the program must have opened it for appending.
    Output of the microseconds between copying and truncating is lost. Links are not followed: a database's log is in a
    directory of another user, whom root does not trust.
    """
    try:
        if log.lstat().st_size <= largest_bytes or log.is_symlink():
            return
        _shift(log)
        with open(log, "r+b", opener=_no_link) as source, open(_older(log, 1), "xb") as target:  # noqa: PTH123
            os.fchmod(target.fileno(), stat.S_IMODE(os.fstat(source.fileno()).st_mode))
            shutil.copyfileobj(source, target)
            os.ftruncate(source.fileno(), 0)
    except (FileNotFoundError, FileExistsError):
        return


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _shift(log: Path) -> None:
    for number in range(KEPT - 1, 0, -1):
        if os.path.lexists(_older(log, number)):
            _older(log, number).replace(_older(log, number + 1))


def _older(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
