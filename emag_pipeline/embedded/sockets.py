"""The directory of the server's socket: whoever can reach it is trusted as the database's superuser."""

import re
import tempfile
from pathlib import Path
from urllib.parse import quote

from emag_pipeline.embedded import places
from emag_pipeline.errors import PermanentError

#: sun_path is 108 bytes on Linux; `/.s.PGSQL.5432` and the closing zero take 15 of them.
_LONGEST = 92
#: PostgreSQL's and libpq's lists of directories are separated by commas; other signs would have to be quoted twice.
_PLAIN = re.compile(r"[\w/.+=@~-]+", re.ASCII)


def directory(home: Path, data: Path) -> Path:
    """The data directory, or a private one under the temporary directory where its path is too long or peculiar.

    That one has a name which nobody can guess and is remembered in `home/postgres.sockets`. One which is not the
    owner's alone, as somebody else may have put it there, is never used. Raises PermanentError where none can be made.
    """
    if _is_suitable(data):
        return data
    note = home / "postgres.sockets"
    remembered = Path(note.read_text()) if note.exists() else None
    if remembered is not None and _is_suitable(remembered) and places.has_alone(remembered):
        return remembered
    made = _made()
    places.hand_over(made)
    note.write_text(str(made))
    return made


def address(directory: Path, database: str) -> str:
    """The SQLAlchemy URL of a database of the server that listens there."""
    return f"postgresql+psycopg2://postgres@/{quote(database)}?host={quote(str(directory))}"


def known(home: Path, data: Path) -> set[Path]:
    """Where `directory` says that the socket is, or would be, without making anything."""
    note = home / "postgres.sockets"
    return {data, *([Path(note.read_text())] if note.exists() else [])}


def _is_suitable(path: Path) -> bool:
    return len(bytes(path)) <= _LONGEST and _PLAIN.fullmatch(str(path)) is not None


def _made() -> Path:
    for parent in dict.fromkeys((Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"))):  # noqa: S108 - private in it
        if _is_suitable(parent / "emag-postgres-12345678") and parent.is_dir() and places.cannot_enter(parent) is None:
            return Path(tempfile.mkdtemp(prefix="emag-postgres-", dir=parent))  # mode 0700
    raise PermanentError(
        "there is no place for the server's socket",
        where="embedded PostgreSQL",
        why="EMAG_HOME is too long or has peculiar characters, and its user can enter no temporary directory",
        remedy="Set EMAG_HOME to a shorter path of letters and digits",
    )
