"""Homes whose embedded server was set up before: copies of one, because initdb takes a second of processor time.

What initdb and the first start do is proven by test_server.py, which starts in empty homes.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from emag_pipeline import embedded
from emag_pipeline.settings.home import claim
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database

#: A test's data need not survive a power cut; that of a killed server does without it.
_UNSYNCED = "fsync = off\n"


def set_up(home: Path) -> Path:
    """Make this a home whose server was started once and stopped; PostgreSQL's user must be able to reach it."""
    return _filled(home, _empty())


def migrated(home: Path) -> Path:
    """Make this a home whose server was started once and stopped, with the pipeline's database and schema."""
    return _filled(home, _with_schema())


@contextmanager
def open_directory() -> Iterator[Path]:
    """A temporary directory that PostgreSQL's user may enter.

    The data of a home below it is removed with it; below a closed one, root's data is in another place and stays.
    """
    with tempfile.TemporaryDirectory(prefix="emag-home-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


@contextmanager
def temporary() -> Iterator[Path]:
    """A home as `set_up` makes it, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="emag-home-") as directory:
        yield set_up(Path(directory))


def _filled(home: Path, source: Path) -> Path:
    place = claim(home)
    subprocess.run(["cp", "-a", source / "postgres", place], check=True)
    return home


@cache
def _kept() -> tempfile.TemporaryDirectory[str]:
    """The directory of the originals, removed when the process ends."""
    directory = tempfile.TemporaryDirectory(prefix="emag-homes-")
    Path(directory.name).chmod(0o711)
    return directory


@cache
def _empty() -> Path:
    home = Path(_kept().name) / "empty"
    embedded.start(home).stop()
    with (home / "postgres" / "postgresql.conf").open("a") as file:
        file.write(_UNSYNCED)
    return home


@cache
def _with_schema() -> Path:
    home = set_up(Path(_kept().name) / "migrated")
    server = embedded.start(home)
    database = Database(server.url("emag"))
    migrate.upgrade(database)
    database.close()
    server.stop()
    return home
