"""The directories of the server's data, programs and socket, which the data's owner can access without new permissions.

These are EMAG_HOME and the package. If root runs the pipeline and either is below an inaccessible directory such as
`/root`, `/var/lib/emag_pipeline` is used instead, and EMAG_HOME records the place of the data.
"""

import hashlib
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

from emag_pipeline.errors import PermanentError, PipelineError, SettingsError, of_os_error

# The system user that PostgreSQL runs as: the current one, or a service user if that is root.

#: PostgreSQL refuses to run as root.
SERVICE_USER = "embedded_postgres"


class Identity(TypedDict, total=False):
    """Arguments of subprocess.run that change the user."""

    user: int
    group: int
    extra_groups: list[int]


def identity() -> Identity:
    """How to start a program as the owner of the data; empty if that is the current user."""
    if os.geteuid() != 0:
        return {}
    entry = _service_user()
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def hand_over(directory: Path) -> None:
    """Give the directory to the data's owner, with access for no other user.

    Raises PermanentError, without changes, if it is a link or belongs to another user than the owner and this one.
    """
    who = identity()
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise _foreign(directory, error.strerror or str(error)) from error
    try:
        if os.fstat(descriptor).st_uid not in (os.geteuid(), who.get("user", os.geteuid())):
            raise _foreign(directory, "it belongs to another user")
        if who:
            os.fchown(descriptor, who["user"], who["group"])
        os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)


def has_alone(directory: Path) -> bool:
    """Whether it is a directory, not a link, that belongs to the owner and is accessible to no other user."""
    try:
        found = directory.lstat()
    except OSError:
        return False
    wanted = identity().get("user", os.geteuid())
    return stat.S_ISDIR(found.st_mode) and found.st_uid == wanted and not found.st_mode & 0o077


def cannot_enter(path: Path) -> Path | None:
    """The first directory of a path that the owner may not enter; None if the path is accessible.

    Tested as that user, because access control lists count too.
    """
    if not identity() or _enters(path):
        return None
    return next(step for step in (*reversed(path.parents), path) if not _enters(step))


def _enters(directory: Path) -> bool:
    command = ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(directory)]
    return subprocess.run(command, cwd="/", capture_output=True, check=False, **identity()).returncode == 0


def _foreign(directory: Path, why: str) -> PermanentError:
    return PermanentError(
        "a directory is not ours and is not used",
        where=str(directory),
        why=why,
        remedy="Remove it or set EMAG_HOME to a directory of yours",
    )


def _service_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SERVICE_USER)
    except KeyError:
        command = ["useradd", "--system", "--shell", "/usr/sbin/nologin", SERVICE_USER]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise PermanentError(
                "PostgreSQL cannot run as root, and no user could be made for it",
                where="embedded PostgreSQL",
                why=str(getattr(error, "stderr", "") or error).strip(),
                remedy=f"Create the system user {SERVICE_USER}, run as a plain user, or set DATABASE_SYNC_URL",
            ) from error
        return pwd.getpwnam(SERVICE_USER)


ROOTS = Path("/var/lib/emag_pipeline")
_NOTE = "postgres.data"


def data(home: Path) -> Path:
    """The data directory of a home, whether or not it exists."""
    try:
        return Path((home / _NOTE).read_text())
    except OSError:
        return home / "postgres"


def made_data(home: Path) -> Path:
    """The data directory, created if necessary, private to its owner and accessible to him.

    Raises SettingsError if existing data is in an inaccessible place, PermanentError or TransientError if the directory
    cannot be created.
    """
    place = data(home)
    closed = cannot_enter(place.parent)
    if closed is not None:
        if place.exists():
            raise _closed(home, place, closed)
        place = Path(tempfile.mkdtemp(prefix="data-", dir=_roots(home, closed)))
        hand_over(place)
        (home / _NOTE).write_text(str(place))
        return place
    try:
        place.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise of_os_error(
            error, "the database cannot be made", where=str(place), remedy="Correct its rights"
        ) from error
    hand_over(place)
    return place


def programs(source: Path, home: Path) -> Path:
    """The directory of the programs: `source`, or a copy with its libraries.

    The wheel's layout is `PACKAGE/pginstall/bin` and, next to the package, `PACKAGE.libs`.
    Raises PermanentError or TransientError if it cannot be copied.
    """
    closed = cannot_enter(source)
    if closed is None:
        return source
    version = f"{source} {(source / 'postgres').stat().st_mtime_ns}"
    parent = _roots(home, closed)
    place = parent / f"postgresql-{hashlib.sha256(version.encode()).hexdigest()[:16]}"
    if not place.exists():
        unfinished = Path(tempfile.mkdtemp(prefix="postgresql.", dir=parent))
        try:
            package = source.parent.parent
            for part in (source.parent, package.with_name(f"{package.name}.libs")):
                shutil.copytree(part, unfinished / part.relative_to(package.parent), symlinks=True)
            _open(unfinished)
            unfinished.rename(place)
        except OSError as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            if not place.exists():  # else another command was faster
                what = "PostgreSQL's programs could not be copied"
                raise of_os_error(error, what, where=str(place), remedy="Correct its rights") from error
    return place / source.relative_to(source.parent.parent.parent)


def _roots(home: Path, closed: Path) -> Path:
    """Root's directory for files that PostgreSQL's user must access. Raises SettingsError if it cannot be used."""
    try:
        if not ROOTS.exists():
            ROOTS.mkdir(mode=0o711)
            ROOTS.chmod(0o711)
        found = ROOTS.lstat()
    except OSError as error:
        raise _nowhere(home, closed, error.strerror or str(error)) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise _nowhere(home, closed, f"{ROOTS} is not root's own directory")
    if cannot_enter(ROOTS) is not None:
        raise _nowhere(home, closed, f"nor {ROOTS}")
    return ROOTS


def _nowhere(home: Path, closed: Path, why: str) -> PipelineError:
    return SettingsError(
        f"EMAG_HOME is {str(home)!r}: PostgreSQL's user {SERVICE_USER} may not enter {closed}",
        why=why,
        remedy="Set EMAG_HOME to a directory that he can enter, run as a plain user, or set DATABASE_SYNC_URL",
    )


def _closed(home: Path, place: Path, closed: Path) -> PipelineError:
    return SettingsError(
        f"EMAG_HOME is {str(home)!r}, and the data in {place} cannot be used",
        why=f"PostgreSQL cannot run as root, and its user {SERVICE_USER} may not enter {closed}",
        remedy=f"Move {home} to a directory that he can enter and set EMAG_HOME to it, or let him enter {closed}: "
        f"`setfacl -m u:{SERVICE_USER}:x {closed}`",
    )


def _open(directory: Path) -> None:
    """Make programs readable for all users, whatever the umask is."""
    for path in (directory, *directory.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)


# The directory of the server's socket: every user who can access it is the database's superuser.

#: sun_path is 108 bytes on Linux; `/.s.PGSQL.5432` and the closing zero take 15 of them.
_LONGEST = 92
#: PostgreSQL and libpq separate directories by commas; other characters would have to be quoted twice.
_PLAIN = re.compile(r"[\w/.+=@~-]+", re.ASCII)


def socket_directory(home: Path, data: Path) -> Path:
    """The data directory, or a private temporary directory if its path is too long or has special characters.

    The temporary one has a random name, which is stored in `home/postgres.sockets`. It is not used if any other user
    can access it, since another user may have created it. Raises PermanentError if none can be created.
    """
    if _is_suitable(data):
        return data
    note = home / "postgres.sockets"
    remembered = Path(note.read_text()) if note.exists() else None
    if remembered is not None and _is_suitable(remembered) and has_alone(remembered):
        return remembered
    made = _made()
    hand_over(made)
    note.write_text(str(made))
    return made


def socket_address(socket_directory: Path, database: str) -> str:
    """The SQLAlchemy URL of a database of the server with this socket directory."""
    return f"postgresql+psycopg2://postgres@/{quote(database)}?host={quote(str(socket_directory))}"


def known_sockets(home: Path, data: Path) -> set[Path]:
    """The directories in which `socket_directory` has put or would put the socket, without creating any."""
    note = home / "postgres.sockets"
    return {data, *([Path(note.read_text())] if note.exists() else [])}


def _is_suitable(path: Path) -> bool:
    return len(bytes(path)) <= _LONGEST and _PLAIN.fullmatch(str(path)) is not None


def _made() -> Path:
    for parent in dict.fromkeys((Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"))):  # noqa: S108 - private in it
        if _is_suitable(parent / "emag-postgres-12345678") and parent.is_dir() and cannot_enter(parent) is None:
            return Path(tempfile.mkdtemp(prefix="emag-postgres-", dir=parent))  # mode 0700
    raise PermanentError(
        "there is no place for the server's socket",
        where="embedded PostgreSQL",
        why="EMAG_HOME is too long or has peculiar characters, and its user can enter no temporary directory",
        remedy="Set EMAG_HOME to a shorter path of letters and digits",
    )
