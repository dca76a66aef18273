"""PostgreSQL's own programs: those of the machine, or those that come with the package."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from emag_pipeline import embedded
from emag_pipeline.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Program:
    """A program and its major version."""

    path: Path
    version: int


def dumping(server_version: int, *, is_embedded: bool) -> Program:
    """The pg_dump for a server of that major version: the machine's own if it is new enough, else the package's.

    An embedded server gets the package's. Raises PermanentError when both are older than the server.
    """
    found = [] if is_embedded else _of_this_machine("pg_dump")
    found += _of_the_package("pg_dump")
    for program in found:
        if program.version >= server_version:
            return program
    has = " and ".join(str(program.version) for program in found) or "none"
    raise PermanentError(
        f"pg_dump is older than the server, which is PostgreSQL {server_version}",
        where="backup",
        why=f"the versions found are: {has}",
        remedy=f"Install PostgreSQL's client programs of version {server_version} or newer "
        f"(Debian: postgresql-client-{server_version}), so that `pg_dump --version` says so",
    )


def reading() -> Program:
    """The newest pg_restore there is: it reads what it and all older ones wrote."""
    found = _of_the_package("pg_restore") + _of_this_machine("pg_restore")
    return max(found, key=lambda program: program.version)


def shell() -> Program:
    """The newest psql there is."""
    found = _of_the_package("psql") + _of_this_machine("psql")
    return max(found, key=lambda program: program.version)


def _of_this_machine(name: str) -> list[Program]:
    path = shutil.which(name)
    return [] if path is None else _with_version(Path(path))


def _of_the_package(name: str) -> list[Program]:
    return _with_version(embedded.program(name))


def _with_version(path: Path) -> list[Program]:
    """None when it cannot be run, such as Debian's wrapper without a version behind it."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return []
    version = re.search(r"\(PostgreSQL\) (\d+)", said)
    return [] if version is None else [Program(path, int(version[1]))]
