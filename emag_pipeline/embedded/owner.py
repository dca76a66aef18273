"""The system user that PostgreSQL runs as: this one, or a service user where this one is root."""

import os
import pwd
import stat
import subprocess
from pathlib import Path
from typing import TypedDict

from emag_pipeline.errors import PermanentError

#: PostgreSQL refuses to run as root.
SERVICE_USER = "embedded_postgres"


class Identity(TypedDict, total=False):
    """Arguments of subprocess.run that change the user."""

    user: int
    group: int
    extra_groups: list[int]


def identity() -> Identity:
    """How to start a program as the owner of the data; empty when that is the current user."""
    if os.geteuid() != 0:
        return {}
    entry = _service_user()
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def hand_over(directory: Path) -> None:
    """Make the owner the directory's owner, alone with it.

    Raises PermanentError when it is a link, or belongs to anybody but the owner and this user: it is left as it is.
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
    """Whether it is a directory, no link, that belongs to the owner and is open to nobody else."""
    try:
        found = directory.lstat()
    except OSError:
        return False
    wanted = identity().get("user", os.geteuid())
    return stat.S_ISDIR(found.st_mode) and found.st_uid == wanted and not found.st_mode & 0o077


def cannot_enter(path: Path) -> Path | None:
    """The first directory on the way to a path that the owner may not enter; None when he gets there.

    He is asked himself, since access lists decide too.
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
