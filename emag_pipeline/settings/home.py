"""EMAG_HOME: a directory for its owner alone. Nothing of anybody else's is written to, followed or changed.

Offers, prices, logs and Dagster's files stand in it, so nobody else may read it. As root PostgreSQL runs as another
user, who must pass through the directory: that one bit is all that is opened, and only here.
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

#: What the pipeline makes in it; `matplotlib` is left from versions that drew with it.
_OURS = {
    "dagster", "logs", "matplotlib", "reports", "postgres", "postgres.lock", "postgres.users",
    "postgres.data", "postgres.sockets", "reference.lock", "up.lock",
}  # fmt: skip
_REMEDY = "Set it to a directory of yours"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def claim(home: Path) -> Path:
    """Make the home, or see that it may be used; returns it without links. Closes to others what is ours in it.

    A directory that also holds what is not the pipeline's keeps its mode. Raises SettingsError when it is no directory,
    cannot be written, belongs to somebody else or may be written by everybody; TransientError when the disk is full.
    """
    with _judged(home):
        home = home.resolve()
        _make(home)
        _close(home, _safe(home))
        _require_writable(home)
    return home


def default() -> Path:
    """Where the home is without EMAG_HOME: the user's data directory."""
    return platformdirs.user_data_path("emag_pipeline")


def require_usable(home: Path) -> None:
    """See that the home may be used, as `claim` does, and change nothing: one that is missing could be made.

    Raises SettingsError as `claim`.
    """
    with _judged(home):
        home = home.resolve()
        above = next(path for path in (home, *home.parents) if os.path.lexists(path))
        if above == home:
            found = _safe(home)
            if not _is_closed_alone(home, found) or os.statvfs(home).f_flag & os.ST_RDONLY:  # else it gets its mode
                _require_writable(home)
        elif not above.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        elif not os.access(above, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def _judged(home: Path) -> Iterator[None]:
    """Raise what is raised within in our words."""
    try:
        yield
    except RuntimeError as error:  # a loop of links
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
    """A directory of ours in the home, made if need be, for its owner alone. Raises as `claim`."""
    path = claim(home) / name
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise of_os_error(error, "a directory cannot be made", where=str(path), remedy="Correct its rights") from error
    return path


def _make(home: Path) -> None:
    """Only what is made here gets a mode; as root it can be passed through, so that PostgreSQL's user can."""
    missing = [path for path in (home, *home.parents) if not path.exists()]
    for path in reversed(missing):
        with suppress(FileExistsError):  # another command was faster
            path.mkdir(mode=_mode())
            path.chmod(_mode())  # whatever the umask is


def _mode() -> int:
    return 0o711 if os.geteuid() == 0 else 0o700


def _require_safe(home: Path, found: os.stat_result) -> None:
    if found.st_uid not in (os.geteuid(), 0):
        name = _name(found.st_uid)
        raise _wrong(
            home, f"which belongs to {name}", remedy=f"Run the command as {name}, or set it to a directory of yours"
        )
    if found.st_mode & stat.S_IWOTH:
        raise _wrong(home, "in which everybody may write")


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
    """Whether the home's own mode is ours to set: it is this user's, and holds nothing but what is the pipeline's."""
    return found.st_uid == os.geteuid() and {path.name for path in home.iterdir()} <= _OURS


def _name(uid: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return f"user {uid}"


def _wrong(home: Path, what: str, why: str = "", remedy: str = _REMEDY) -> SettingsError:
    return SettingsError(f"EMAG_HOME is {str(home)!r}, {what}", why=why, remedy=remedy)
