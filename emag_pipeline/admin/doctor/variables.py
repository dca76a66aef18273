"""Settings: wrong variables, variables that nothing reads, and who can read the file that holds them."""

import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from emag_pipeline.admin.doctor.finding import Finding, broken, of_error, ok, warning
from emag_pipeline.errors import PipelineError, SettingsError
from emag_pipeline.local.words import unknown_accounts
from emag_pipeline.settings import Settings, env_file, wrong_variables
from emag_pipeline.settings.home import require_usable
from emag_pipeline.settings.wrong_variables import OF_AN_ACCOUNT, known

SUBJECT = "settings"

#: Garbage collections, checkpoints and sleeping laptops take as long.
_SHORT_HEARTBEAT_SECONDS = 10.0
_SECRET = re.compile(r"_PASSWORD$|_PASS$|(?:DATABASE|SYNC|PG|WEBHOOK)_URL$")


def wrong(error: SettingsError) -> Iterator[Finding]:
    """A finding for each wrong variable."""
    for problem in error.problems or (error,):
        what = ": ".join(part for part in (problem.where, problem.what, problem.why) if part)
        yield broken(SUBJECT, what, problem.remedy or "Correct it where it is set; .env.example describes it")


def in_force(settings: Settings, given: Mapping[str, str]) -> Finding:
    """The settings in force, in one line; or why `up` and `sync` would refuse them."""
    try:
        settings.require_marketplace()
    except SettingsError as error:
        return of_error(SUBJECT, error)
    names = ", ".join(account.name for account in settings.accounts)
    where = "the sandbox" if settings.uses_sandbox else "the marketplace"
    read = sorted(name for name in given if name in known() or OF_AN_ACCOUNT.fullmatch(name))
    file = settings.env_file or f"none in {Path.cwd()}"
    what = (
        f"accounts {names} on {where}, home {settings.home}, .env: {file}; variables set: {', '.join(read) or 'none'}"
    )
    return ok(SUBJECT, what)


def of_home(settings: Settings) -> Iterator[Finding]:
    """A finding if EMAG_HOME cannot be used, by the same rule as in every command that writes to it."""
    try:
        require_usable(settings.home)
    except PipelineError as error:
        yield of_error(SUBJECT, error)


def unread(given: Mapping[str, str]) -> Iterator[Finding]:
    """A finding for each variable of ours that nothing reads."""
    for what, remedy in wrong_variables.unread(given):
        yield warning(SUBJECT, what, remedy)


def strange(settings: Settings) -> Iterator[Finding]:
    """Accounts that are probably misspelt, and limits that end healthy syncs."""
    for what, remedy in unknown_accounts(settings):
        yield warning(SUBJECT, what, remedy)
    stuck_seconds = settings.stuck_threshold_hours * 3600
    if stuck_seconds < settings.call_seconds:
        what = (
            f"EMAG_SYNC_STUCK_THRESHOLD_HOURS is {stuck_seconds:g} seconds, and one call may take "
            f"{settings.call_seconds:g} (EMAG_API_CALL_SECONDS): a sync waiting for a slow answer is ended as stuck"
        )
        yield warning(SUBJECT, what, "Set it to several times that; the default is 1 hour")
    if settings.heartbeat_timeout_seconds < _SHORT_HEARTBEAT_SECONDS:
        what = (
            f"EMAG_SYNC_HEARTBEAT_TIMEOUT is {settings.heartbeat_timeout_seconds:g} seconds: a sync whose machine or "
            "database pauses that long counts as dead, and another sync takes its lease"
        )
        yield warning(SUBJECT, what, "Set it to a minute or more; the default is 120")


def of_file(path: Path) -> Iterator[Finding]:
    """Who can read `.env`; nothing if there is none. Raises SettingsError for a file that is not ours."""
    file = env_file.read(path)
    if file is None:
        return
    if file.mode & 0o077 and any(value and _SECRET.search(name) for name, value in file.values.items()):
        who = "every user of this machine" if file.mode & stat.S_IROTH else "its group"
        what = f"{file.path} holds secrets, and {who} can read it (mode {file.mode:04o})"
        yield warning(".env", what, f"Run `chmod 600 {file.path}`")
    else:
        yield ok(".env", f"{file.path} is read (mode {file.mode:04o})")
