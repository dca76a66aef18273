"""Examine everything concurrently within fifteen seconds, and change nothing.

An embedded PostgreSQL that is not running is started for the examination, as for every other command. What depends on
something else is examined only if that works: one cause, one finding.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from emag_pipeline import running_up
from emag_pipeline.admin.doctor import accounts, dagster, databases, machine, variables
from emag_pipeline.admin.doctor.finding import Begun, Examination, Finding, Verdict, of_error
from emag_pipeline.errors import PipelineError, SettingsError
from emag_pipeline.local.embedded_use import awake
from emag_pipeline.monitoring.silence import NO_SENSOR
from emag_pipeline.settings import Settings, given_variables, load_settings
from emag_pipeline.settings.env_file import DEFAULT

_DATABASE_SECONDS = 5.0
_MARKETPLACE_SECONDS = 8.0
_DAGSTER_SECONDS = 8.0
_LOST_SECONDS = 2.0
_MACHINE_SECONDS = 12.0
#: The exit code if nothing is known to be broken, but something could not be examined.
_NOT_ALL_EXAMINED = 6
_NOT_EXAMINED = Finding(
    accounts.MARKETPLACE,
    Verdict.NOT_EXAMINED,
    "accounts, marketplace, incidents and daemon were not, or not completely, examined: they need the database",
    "Fix the findings on the database, then run `emag-pipeline doctor` again",
)
_WITHOUT_HOME = Finding(
    accounts.MARKETPLACE,
    Verdict.NOT_EXAMINED,
    "database, accounts, marketplace, incidents and daemon were not examined: they need EMAG_HOME",
    "Fix the findings on EMAG_HOME, then run `emag-pipeline doctor` again",
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings, in the order in which they are best fixed."""

    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of them."""
        return max((finding.verdict for finding in self.findings), key=list(Verdict).index, default=Verdict.OK)

    @property
    def exit_code(self) -> int:
        """2 for wrong settings, 1 for anything else that is broken, 6 if something could not be examined, else 0."""
        broken = {finding.subject for finding in self.findings if finding.verdict is Verdict.BROKEN}
        if broken:
            return 2 if variables.SUBJECT in broken else 1
        return _NOT_ALL_EXAMINED if self.verdict is Verdict.NOT_EXAMINED else 0


def diagnose(environ: Mapping[str, str] | None = None, env_file: Path = DEFAULT) -> Diagnosis:
    """Examine everything. Never raises for what it finds; with wrong settings nothing else can be examined."""
    found: list[Finding] = []
    try:
        given = given_variables(environ, env_file)
        found += [*variables.unread(given), *variables.of_file(env_file)]
        settings = load_settings(environ, env_file)
    except SettingsError as error:
        return Diagnosis((*variables.wrong(error), *found))
    return Diagnosis((variables.in_force(settings, given), *variables.strange(settings), *found, *_all(settings)))


def _all(settings: Settings) -> Iterator[Finding]:
    beside = [Begun(one) for one in _independent(settings)]
    of_home = list(variables.of_home(settings))
    yield from of_home
    if of_home and settings.uses_embedded_database:  # the database is in it, and no command would start it
        yield _WITHOUT_HOME
    else:
        yield from _on_the_database(settings)
    for begun in beside:
        yield from begun.findings()


def _on_the_database(settings: Settings) -> list[Finding]:
    """Findings from the database; they are kept, whatever happens to the server afterwards."""
    found: list[Finding] = []
    try:
        with _awake(settings) as slept:
            found += _with_database(settings, slept=slept)
    except PipelineError as error:
        found += [of_error(databases.SUBJECT, error), *([] if found else [_NOT_EXAMINED])]
    return found


def _awake(settings: Settings) -> AbstractContextManager[bool]:
    """As `awake`, but a running `up` has to start the server itself."""
    return awake(settings) if running_up.running(settings.home) is None else nullcontext(False)


def _with_database(settings: Settings, *, slept: bool) -> Iterator[Finding]:
    """The database, and what depends on it. If it goes away meanwhile, that is the one cause of whatever is missing."""
    began = time.monotonic()
    first = Begun(_database(settings, slept=slept)).findings()
    yield from first
    if any(finding.verdict in (Verdict.BROKEN, Verdict.NOT_EXAMINED) for finding in first):
        yield _NOT_EXAMINED
        return
    looks = [Begun(one) for one in _resting_on_the_database(settings)]
    found = [(begun, begun.findings()) for begun in looks]
    is_cut_short = any(begun.is_cut_short for begun in looks)
    lost = Begun(_lost(settings, began)).findings() if is_cut_short else []
    for begun, findings in found:
        yield from _without_effects(findings[:-1] if lost and begun.is_cut_short else findings, of=found[-1][1])
    if lost:
        yield from (*lost, _NOT_EXAMINED)


def _without_effects(findings: Iterable[Finding], *, of: Sequence[Finding]) -> Iterator[Finding]:
    """Without the consequences of a broken daemon, which is reported itself."""
    is_daemon_away = any(one.subject == dagster.SUBJECT and one.verdict is Verdict.BROKEN for one in of)
    for finding in findings:
        if not (is_daemon_away and finding.what.startswith(NO_SENSOR)):
            yield finding


def _database(settings: Settings, *, slept: bool) -> Examination:
    look = partial(databases.examine, settings, slept=slept)
    return Examination(databases.SUBJECT, _DATABASE_SECONDS, look, databases.if_silent(settings))


def _lost(settings: Settings, began: float) -> Examination:
    look = partial(databases.lost_since, settings, began)
    return Examination(databases.SUBJECT, _LOST_SECONDS, look, databases.if_silent(settings))


def _resting_on_the_database(settings: Settings) -> Iterator[Examination]:
    yield Examination("accounts", _MARKETPLACE_SECONDS, partial(accounts.accounts, settings))
    yield Examination(databases.LOCKS, _MARKETPLACE_SECONDS, partial(databases.locked, settings))
    yield Examination("answers", _MARKETPLACE_SECONDS, partial(accounts.answers, settings))
    for account in settings.accounts if settings.has_marketplace else ():
        look = partial(accounts.marketplace, settings, account)
        yield Examination(f"account {account.name}", _MARKETPLACE_SECONDS, look, accounts.if_silent(settings))
    yield Examination(accounts.CHECKS, _MARKETPLACE_SECONDS, partial(accounts.checks, settings))
    yield Examination(accounts.INCIDENTS, _MARKETPLACE_SECONDS, partial(accounts.incidents, settings))
    yield Examination(dagster.SENSORS, _MARKETPLACE_SECONDS, partial(dagster.sensors, settings))
    yield Examination(
        dagster.SUBJECT, _DAGSTER_SECONDS, partial(dagster.examine, settings), dagster.if_silent(settings)
    )


def _independent(settings: Settings) -> Iterator[Examination]:
    for one in machine.listeners(settings):
        yield Examination(machine.PORTS, _MACHINE_SECONDS, partial(machine.examine, one))
    yield Examination(machine.PROGRAMS, _MACHINE_SECONDS, partial(machine.programs, settings))
    yield Examination(machine.DISK, _MACHINE_SECONDS, partial(machine.disk, settings))
    yield Examination(machine.MEMORY, _MACHINE_SECONDS, machine.memory)
