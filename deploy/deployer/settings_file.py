"""The environment files, in the part of the grammar that systemd, compose and this script read alike."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from deployer.places import Failure, Places


def read(path: Path) -> dict[str, str]:
    """The variables of a file; lines that `wrong_lines` names are left out."""
    found = {}
    for line in _lines(path):
        name, value = _split(line)
        if name:
            found[name] = value
    return found


def environment(places: Places, *, as_owner: bool = False) -> dict[str, str]:
    """What a command of a release gets, as the services do: nothing of the caller's but PATH and language."""
    dagster = places.home / "dagster"
    return {
        **{name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TERM") if name in os.environ},
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "EMAG_MAX_CONCURRENT_RUNS": "10",
        "EMAG_HOME": str(places.home),
        "DAGSTER_HOME": str(dagster),
        "DAGSTER_LOGS_DIR": str(dagster / "run-logs"),
        "DAGSTER_ARTIFACTS_DIR": str(dagster / "artifacts"),
        **read(places.settings),
        **(read(places.owner_settings) if as_owner and places.owner_settings.is_file() else {}),
    }


def complaints(path: Path) -> Iterator[tuple[str, str]]:
    """What is wrong with a file of secrets: a sentence, and what to do."""
    state = path.stat()
    if stat.S_IMODE(state.st_mode) & 0o077 or state.st_uid != os.geteuid():
        yield f"{path} can be read by others", f"Run: chown root:root {path}; chmod 0600 {path}"
    for number, line in enumerate(_lines(path), 1):
        if line and not line.startswith("#") and not _split(line)[0]:
            yield (
                f"{path} has an entry that programs read differently: number {number}",
                ("Write NAME=VALUE, with single quotes around a value that holds spaces, quotes, backslashes or #"),
            )


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except OSError as error:
        raise Failure(
            f"{path} cannot be read: {error.strerror}", "Use sudo; docs/how-to/deploy.md says what it holds"
        ) from None


def _split(line: str) -> tuple[str, str]:
    name, equals, value = line.partition("=")
    if not equals or not name.isidentifier():
        return "", ""
    if len(value) >= 2 and value[0] == value[-1] == "'" and "'" not in value[1:-1]:
        return name, value[1:-1]
    return ("", "") if any(sign in value for sign in "'\"\\# \t") else (name, value)
