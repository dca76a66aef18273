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
    """Make the owner the directory's owner, alone with it."""
    who = identity()
    if who:
        os.chown(directory, who["user"], who["group"])
    directory.chmod(0o700)


def let_pass(path: Path) -> None:
    """Let the service user walk through the directories above a path; it still cannot list them."""
    if not identity():
        return
    for parent in path.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


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
