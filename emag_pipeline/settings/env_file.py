"""The file `.env`, read only if nobody else can write it: its content decides where credentials are sent.

Only the current directory is searched, which may belong to another user.
"""

import os
import pwd
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from emag_pipeline.errors import SettingsError

DEFAULT = Path(".env")
#: Set for child processes of a command that has read the file: they inherit its variables and do not read it again.
IS_READ = "EMAG_ENV_IS_READ"


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A file that was read. `problems` has one error per malformed line."""

    path: Path
    mode: int
    values: Mapping[str, str] = field(repr=False)
    problems: tuple[SettingsError, ...]


def read(path: Path) -> EnvFile | None:
    """The file's variables; None when there is none.

    Raises SettingsError if it belongs to another user (except root), is writable by anybody but its owner, or cannot
    be read.
    """
    if os.environ.get(IS_READ) and path == DEFAULT:
        return None
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            _require_ours(path.absolute(), found)
            content = file.read()
    except OSError as error:
        raise SettingsError(
            f"{path.absolute()} cannot be read",
            why=error.strerror or str(error),
            remedy="Correct its permissions, or run the command in another directory",
        ) from error
    text, problems = _decoded(content, path.absolute())
    problems += [
        _malformed(path.absolute(), one.original.line)
        for one in parse_stream(StringIO(text))
        if one.error or (one.key is not None and one.value is None)
    ]
    values = {name: value or "" for name, value in dotenv_values(stream=StringIO(_sound(text))).items()}
    return EnvFile(path.absolute(), stat.S_IMODE(found.st_mode), values, tuple(problems))


def _require_ours(path: Path, found: os.stat_result) -> None:
    if found.st_uid not in (os.geteuid(), 0):
        raise SettingsError(
            f"{path} belongs to {_name(found.st_uid)} and is not read: it could send your credentials anywhere",
            remedy="Run the command in a directory of your own, or take ownership of the file",
        )
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        who = "everybody" if found.st_mode & stat.S_IWOTH else "its group"
        raise SettingsError(
            f"{path} can be written by {who} and is not read: it could send your credentials anywhere",
            remedy=f"Check its content, then run `chmod 600 {path}`",
        )


def _decoded(content: bytes, path: Path) -> tuple[str, list[SettingsError]]:
    problems = []
    for number, line in enumerate(content.split(b"\n"), 1):
        try:
            line.decode()
        except UnicodeDecodeError:
            problems.append(SettingsError(f"line {number} is not UTF-8", where=str(path), remedy="Save it as UTF-8"))
    return content.decode(errors="replace"), problems


def _sound(text: str) -> str:
    """Only the well-formed statements: the parser would log another warning for each of the others."""
    return "".join(one.original.string for one in parse_stream(StringIO(text)) if not one.error)


def _malformed(path: Path, line: int) -> SettingsError:
    """The error does not show the line, which may hold a secret."""
    return SettingsError(
        f"line {line} is not of the form NAME=value",
        where=str(path),
        remedy="Correct it, e.g. EMAG_SYNC_MAX_PAGES=100; a value with spaces or # needs quotes; # begins a comment",
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
