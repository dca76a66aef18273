"""Look at everything, beside each other and within fifteen seconds; change nothing.

An embedded PostgreSQL that sleeps runs for as long as the look takes, as for every other command.

Where something rests on something else, it is looked at only when that is well: one cause, one line.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from emag_pipeline import running_up
from emag_pipeline.admin.doctor import dagster, databases, machine, marketplace, troubles, variables
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
#: The exit code where nothing is known to be broken, and not everything is known.
_NOT_ALL_EXAMINED = 6
_NOT_EXAMINED = Finding(
    marketplace.SUBJECT,
    Verdict.NOT_EXAMINED,
    "accounts, marketplace, incidents and daemon were not examined, or not in full: they rest on the database",
    "Mend what is said of the database, then run `emag-pipeline doctor` again",
)
_WITHOUT_HOME = Finding(
    marketplace.SUBJECT,
    Verdict.NOT_EXAMINED,
    "database, accounts, marketplace, incidents and daemon were not examined: they rest on EMAG_HOME",
    "Mend what is said of EMAG_HOME, then run `emag-pipeline doctor` again",
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings, in the order in which they are best mended."""

    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of them."""
        return max((finding.verdict for finding in self.findings), key=list(Verdict).index, default=Verdict.OK)

    @property
    def exit_code(self) -> int:
        """2 for wrong settings, 1 for anything else that is broken, 6 where all that is wrong is that something could
        not be examined, 0 otherwise.
        """
        broken = {finding.subject for finding in self.findings if finding.verdict is Verdict.BROKEN}
        if broken:
            return 2 if variables.SUBJECT in broken else 1
        return _NOT_ALL_EXAMINED if self.verdict is Verdict.NOT_EXAMINED else 0


def diagnose(environ: Mapping[str, str] | None = None, env_file: Path = DEFAULT) -> Diagnosis:
    """Examine everything. Never raises for what it finds; with wrong settings nothing else can be looked at."""
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
    if of_home and settings.uses_embedded_database:  # which is in it, and which no command would start
        yield _WITHOUT_HOME
    else:
        yield from _on_the_database(settings)
    for begun in beside:
        yield from begun.findings()


def _on_the_database(settings: Settings) -> list[Finding]:
    """What the database says; it is kept, whatever becomes of the server afterwards."""
    found: list[Finding] = []
    try:
        with _awake(settings) as slept:
            found += _with_database(settings, slept=slept)
    except PipelineError as error:
        found += [of_error(databases.SUBJECT, error), *([] if found else [_NOT_EXAMINED])]
    return found


def _awake(settings: Settings) -> AbstractContextManager[bool]:
    """As `awake`; a running `up` is to start the server itself."""
    return awake(settings) if running_up.running(settings.home) is None else nullcontext(False)


def _with_database(settings: Settings, *, slept: bool) -> Iterator[Finding]:
    """The database, and what rests on it. One that goes away meanwhile is the one cause of all that it kept back."""
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
    """Without what follows from a daemon that does not work, which is said already."""
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
    yield Examination("accounts", _MARKETPLACE_SECONDS, partial(troubles.accounts, settings))
    yield Examination(databases.LOCKS, _MARKETPLACE_SECONDS, partial(databases.locked, settings))
    yield Examination("answers", _MARKETPLACE_SECONDS, partial(troubles.answers, settings))
    for account in settings.accounts if settings.has_marketplace else ():
        look = partial(marketplace.examine, settings, account)
        yield Examination(f"account {account.name}", _MARKETPLACE_SECONDS, look, marketplace.if_silent(settings))
    yield Examination(troubles.CHECKS, _MARKETPLACE_SECONDS, partial(troubles.checks, settings))
    yield Examination(troubles.INCIDENTS, _MARKETPLACE_SECONDS, partial(troubles.incidents, settings))
    yield Examination(troubles.SENSORS, _MARKETPLACE_SECONDS, partial(troubles.sensors, settings))
    yield Examination(
        dagster.SUBJECT, _DAGSTER_SECONDS, partial(dagster.examine, settings), databases.if_silent(settings)
    )


def _independent(settings: Settings) -> Iterator[Examination]:
    for one in machine.listeners(settings):
        yield Examination(machine.SUBJECT, _MACHINE_SECONDS, partial(machine.examine, one))
    yield Examination(machine.PROGRAMS, _MACHINE_SECONDS, partial(machine.programs, settings))
    yield Examination(machine.DISK, _MACHINE_SECONDS, partial(machine.disk, settings))
    yield Examination(machine.MEMORY, _MACHINE_SECONDS, machine.memory)
