"""The settings: every wrong variable, those that nobody reads, and who else may read the file that they stand in."""

import re
import stat
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from emag_pipeline.errors import SettingsError
from emag_pipeline.operations.doctor.finding import Finding, broken, ok, warning
from emag_pipeline.settings import Settings

SUBJECT = "settings"

_OF_AN_ACCOUNT = re.compile(r"EMAG_(?:(?P<account>[A-Z][A-Z0-9_]*)_)?API_(?:USERNAME|PASSWORD|BASE_URL)")
#: read by the pipeline's own processes, tests and containers
_OWN = {"EMAG_UP_HOME", "EMAG_NO_SKIP", "EMAG_SECRETS", "EMAG_VERSION"}
_DATABASE = {"DATABASE_SYNC_URL", "DATABASE_URL", "DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASS"}
_SECRET = re.compile(r"_PASSWORD$|_PASS$|(?:DATABASE|SYNC|PG|WEBHOOK)_URL$")


def wrong(error: SettingsError) -> Iterator[Finding]:
    """A finding for each wrong variable."""
    for problem in error.problems or (error,):
        what = ": ".join(part for part in (problem.where, problem.what, problem.why) if part)
        yield broken(SUBJECT, what, problem.remedy or "Correct it where it is set; .env.example explains it")


def good(settings: Settings, given: Mapping[str, str]) -> Finding:
    """What is in force, in a line."""
    names = ", ".join(account.name for account in settings.accounts)
    where = "the sandbox" if settings.uses_sandbox else "the marketplace"
    known = sorted(name for name in given if name in _known() or _OF_AN_ACCOUNT.fullmatch(name))
    return ok(SUBJECT, f"accounts {names} on {where}, home {settings.home}; set are {', '.join(known) or 'none'}")


def unread(given: Mapping[str, str]) -> Iterator[Finding]:
    """A finding for each variable of ours that nothing reads: most likely it is misspelt."""
    for name in sorted(given):
        account = _OF_AN_ACCOUNT.fullmatch(name)
        if account is not None:
            if (of := account["account"]) and _is_left_out(of.lower(), given):
                what = f"{name} is set, but EMAG_ACCOUNTS does not name {of.lower()}"
                yield warning(SUBJECT, what, "Add it to EMAG_ACCOUNTS, or unset the variable")
        elif name not in _known() and (name.startswith("EMAG_") or _near(name, _DATABASE)):
            yield warning(SUBJECT, f"{name} is set, and nothing reads it", _advice(name))


def env_file(path: Path) -> Iterator[Finding]:
    """Who may read `.env`; nothing where there is none."""
    if not path.is_file():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077 and _holds_secrets(path):
        who = "everybody on this machine" if mode & stat.S_IROTH else "its group"
        what = f"{path} holds secrets, and {who} can read it (mode {mode:04o})"
        yield warning(".env", what, f"Run `chmod 600 {path}`")
    else:
        yield ok(".env", f"{path.resolve()} is read (mode {mode:04o})")


def _known() -> set[str]:
    aliases = {str(field.alias) for field in Settings.model_fields.values() if field.alias}
    return aliases | _OWN | _DATABASE | _of_account("") | {"EMAG_ACCOUNTS", "DAGSTER_PG_URL"}


def _of_account(account: str) -> set[str]:
    return {f"EMAG_{account}API_{what}" for what in ("USERNAME", "PASSWORD", "BASE_URL")}


def _is_left_out(account: str, given: Mapping[str, str]) -> bool:
    named = given.get("EMAG_ACCOUNTS")
    return named is not None and account not in [part.strip() for part in named.split(",")]


def _advice(name: str) -> str:
    account = re.match(r"EMAG_([A-Z0-9_]+_)A", name)
    near = _near(name, _known() | (_of_account(account[1]) if account else set()))
    return f"Perhaps {near} is meant" if near else "Unset it, or look for its right name in .env.example"


def _near(name: str, known: set[str]) -> str:
    return next(iter(get_close_matches(name, known, n=1, cutoff=0.77)), "")


def _holds_secrets(path: Path) -> bool:
    names = (line.partition("=")[0].strip() for line in path.read_text(errors="replace").splitlines())
    return any(_SECRET.search(name) for name in names if not name.startswith("#"))
