"""EMAG_HOME: a directory that only its owner can read. Files of other users are never written, followed or changed.

It holds offers, prices, logs and Dagster's files. If the pipeline runs as root, PostgreSQL runs as another user and
needs search permission on the directory; that is the only permission granted, and only here.
"""

import errno
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from emag_pipeline.errors import SettingsError, of_os_error

#: What the pipeline creates in it; `matplotlib` remains from older versions.
_OURS = {
    "dagster", "logs", "matplotlib", "reports", "postgres", "postgres.lock", "postgres.users",
    "postgres.data", "postgres.sockets", "reference.lock", "up.lock",
}  # fmt: skip
_REMEDY = "Set it to a directory of your own"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def claim(home: Path) -> Path:
    """Create the home or check that it is usable; returns the resolved path. Makes the pipeline's entries private.

    A directory that also holds other files keeps its mode. Raises SettingsError if it is not a directory, cannot be
    written, belongs to another user or is writable by everybody; TransientError if the disk is full.
    """
    with _judged(home):
        home = home.resolve()
        _make(home)
        _close(home, _safe(home))
        _require_writable(home)
    return home


def default() -> Path:
    """The home if EMAG_HOME is not set: the user's data directory."""
    return platformdirs.user_data_path("emag_pipeline")


def require_usable(home: Path) -> None:
    """Check like `claim` that the home is usable or can be created, without changing anything.

    Raises SettingsError like `claim`.
    """
    with _judged(home):
        home = home.resolve()
        above = next(path for path in (home, *home.parents) if os.path.lexists(path))
        if above == home:
            found = _safe(home)
            if not _is_closed_alone(home, found) or os.statvfs(home).f_flag & os.ST_RDONLY:  # else its mode is set
                _require_writable(home)
        elif not above.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        elif not os.access(above, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def _judged(home: Path) -> Iterator[None]:
    """Turn system errors raised within into the project's errors."""
    try:
        yield
    except RuntimeError as error:  # a symlink loop
        raise _wrong(home, "which cannot be followed", str(error)) from error
    except OSError as error:
        raise of_os_error(
            error, f"EMAG_HOME is {str(home)!r}, which cannot be written", remedy=_REMEDY, wrong=True
        ) from error


def _safe(home: Path) -> os.stat_result:
    found = home.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise _wrong(home, "which is not a directory")
    _require_safe(home, found)
    return found


def _require_writable(home: Path) -> None:
    if not os.access(home, os.W_OK | os.X_OK):
        raise _wrong(home, "which cannot be written")


def directory(home: Path, name: str) -> Path:
    """A private directory in the home, created if missing. Raises like `claim`."""
    path = claim(home) / name
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        remedy = "Correct its permissions"
        raise of_os_error(error, "a directory cannot be created", where=str(path), remedy=remedy) from error
    return path


def _make(home: Path) -> None:
    """Create missing directories. Only these get a mode; for root it lets PostgreSQL's user pass through."""
    missing = [path for path in (home, *home.parents) if not path.exists()]
    for path in reversed(missing):
        with suppress(FileExistsError):  # another command created it first
            path.mkdir(mode=_mode())
            path.chmod(_mode())  # whatever the umask is


def _mode() -> int:
    return 0o711 if os.geteuid() == 0 else 0o700


def _require_safe(home: Path, found: os.stat_result) -> None:
    if found.st_uid not in (os.geteuid(), 0):
        name = _name(found.st_uid)
        raise _wrong(
            home, f"which belongs to {name}", remedy=f"Run the command as {name}, or set it to a directory of your own"
        )
    if found.st_mode & stat.S_IWOTH:
        raise _wrong(home, "which everybody can write")


def _close(home: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        return
    wanted = _mode()
    if _is_closed_alone(home, found) and stat.S_IMODE(found.st_mode) != wanted:
        home.chmod(wanted)
    for entry in os.scandir(home):
        mode = entry.stat(follow_symlinks=False)
        open_to_others = mode.st_mode & _OTHERS and not stat.S_ISLNK(mode.st_mode)
        if entry.name in _OURS and mode.st_uid == os.geteuid() and open_to_others:
            Path(entry.path).chmod(stat.S_IMODE(mode.st_mode) & ~_OTHERS)


def _is_closed_alone(home: Path, found: os.stat_result) -> bool:
    """Whether the home's mode may be changed: it belongs to this user and holds only the pipeline's entries."""
    return found.st_uid == os.geteuid() and {path.name for path in home.iterdir()} <= _OURS


def _name(uid: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return f"user {uid}"


def _wrong(home: Path, what: str, why: str = "", remedy: str = _REMEDY) -> SettingsError:
    return SettingsError(f"EMAG_HOME is {str(home)!r}, {what}", why=why, remedy=remedy)
