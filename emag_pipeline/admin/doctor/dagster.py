"""Dagster: its database, its daemon, its sensors and schedules."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf
from typing import TYPE_CHECKING

from emag_pipeline.admin.doctor import databases
from emag_pipeline.admin.doctor.finding import Finding, broken, of_error, ok, warning
from emag_pipeline.databases import dagster_url
from emag_pipeline.errors import DatabaseUnavailable, PipelineError
from emag_pipeline.monitoring.silence import bound_seconds, has_just_started, in_words, silent_sensors, start_again
from emag_pipeline.running_up import ended_ago
from emag_pipeline.settings import Settings
from emag_pipeline.store import monitoring_tables, server
from emag_pipeline.store.engine import DAGSTERS, Database
from emag_pipeline.wording import age, minute

if TYPE_CHECKING:
    from emag_pipeline.dagster_runs.daemon import Daemon, LastTick

SUBJECT = "daemon"
SWITCHES = "automation"
SENSORS = "sensors"

_SENSOR = "sensor"
#: A schedule ticks at least once a day; older ticks belong to sensors and schedules that no longer exist.
_OLD_TICK = timedelta(hours=25)
#: After which Dagster itself considers a part of its daemon dead.
_PART_SILENT_SECONDS = 1800.0


def examine(settings: Settings) -> Iterator[Finding]:
    """Is the daemon alive, and do its sensors and schedules work?"""
    url = dagster_url(settings)
    if silent := list(databases.unreachable(SUBJECT, url, "Dagster's own database: ")):
        yield from silent
        return
    try:
        has_run = _has_run(url)
    except PipelineError as error:
        yield from _unreadable(error)
        return
    if not has_run:
        yield broken(SUBJECT, "Dagster has never run here: its database has no tables", start_again(settings))
        return
    # Dagster takes seconds to import; the other examinations need not wait
    from emag_pipeline.dagster_runs import daemon
    from emag_pipeline.monitoring import dagster_incidents

    beats = daemon.heartbeats(url)
    found = [tick for tick in daemon.ticks_of_database(url) if tick.at > datetime.now(UTC) - _OLD_TICK]
    yield from _life(_without_overtaken(beats, found, settings), daemon.SILENT_SECONDS, settings)
    for tick in found:
        wrong = dagster_incidents.tick_finding(tick)
        if wrong is not None:
            yield broken(SWITCHES, f"{tick.subject} fails: {wrong.message}", wrong.remedy)
        elif tick.error is not None:
            what = f"{tick.subject}: its tick at {minute(tick.at)} failed: {daemon.said(tick.error)}"
            yield warning(SWITCHES, what, "Nothing to do unless it repeats: the next tick tries again")
    off = daemon.switched_off(url)
    if off:
        what = f"switched off in the UI: {', '.join(off)}"
        yield broken(SWITCHES, what, "Switch them on again in Dagster's UI under Automation")
    else:
        yield ok(SWITCHES, "no sensor or schedule is switched off")


def if_silent(settings: Settings) -> str:
    """What to do if this takes too long again: most of the time goes into loading Dagster, not into its database."""
    if settings.dagster_pg_url is None and settings.uses_embedded_database:
        return "check this machine's load: loading Dagster takes seconds"
    return f"check this machine's load (loading Dagster takes seconds), or {databases.if_silent(settings)}"


def _without_overtaken(beats: "Daemon", found: "Sequence[LastTick]", settings: Settings) -> "Daemon":
    """Without an error of the sensor daemon if sensors have ticked since: it names no sensor and is kept for long.

    If the newest tick of a sensor failed, that is reported with the sensor's name.
    """
    looks = [tick for tick in found if tick.kind == _SENSOR]
    bound = timedelta(seconds=bound_seconds(settings))
    has_looked = any(tick.at > datetime.now(UTC) - bound for tick in looks)
    kept = {part: said for part, said in beats.complaints.items() if not (has_looked and part == _SENSOR.upper())}
    return replace(beats, complaints=kept)


def _unreadable(error: PipelineError) -> Iterator[Finding]:
    found = of_error(SUBJECT, error)
    whose = f"Dagster's own database: {found.what}"
    if isinstance(error, DatabaseUnavailable):
        raise DatabaseUnavailable(whose, remedy=error.remedy, is_late=error.is_late) from error
    yield replace(found, what=whose)


def _has_run(url: str) -> bool:
    database = Database(url, whose=DAGSTERS, pool_size=1)
    try:
        return server.has_table(database, "daemon_heartbeats")
    finally:
        database.close()


def _life(beats: "Daemon", bound_seconds: float, settings: Settings) -> Iterator[Finding]:
    silence = beats.silence_seconds
    if silence is None:
        yield broken(SUBJECT, "Dagster's daemon has never run here", start_again(settings))
        return
    ended = ended_ago(settings.home)
    if silence > bound_seconds or (ended is not None and silence >= ended):
        beat = f"its last heartbeat was {age(silence)} ago"
        if ended is not None and silence >= ended:
            beat = f"`up` was stopped {age(ended)} ago"
        what = f"Dagster's daemon is not running: {beat}, so nothing is refreshed automatically"
        yield broken(SUBJECT, what, start_again(settings))
        return
    silent = sorted(part for part, seconds in beats.silent_seconds.items() if seconds > _PART_SILENT_SECONDS)
    if silent:
        yield warning(SUBJECT, f"parts of the daemon are silent: {', '.join(silent)}", start_again(settings))
    for part, said in sorted(beats.complaints.items()):
        yield warning(
            SUBJECT, f"{part} reports an error: {said or 'no message'}", "See the daemon's log for the full message"
        )
    if not silent:
        yield ok(SUBJECT, f"Dagster's daemon sent a heartbeat {age(silence)} ago")


def sensors(settings: Settings) -> Iterator[Finding]:
    """A finding for each silent sensor: switched off, or failing at each tick; a single one if all are silent."""
    with databases.opened(settings) as database:
        silent = silent_sensors(database, settings)
        ticked = min(monitoring_tables.tick_ages(database).values(), default=inf)
    ended = ended_ago(settings.home)
    if ended is not None and ticked >= ended:  # nothing runs since; `examine` reports that
        return
    if silent and has_just_started(settings):
        yield ok(SENSORS, f"`up` has just started; each sensor has {age(bound_seconds(settings))} for its first tick")
        return
    for found in in_words(silent, settings):
        verdict = warning if found.seconds == inf else broken
        yield verdict(SENSORS, found.said, found.remedy)
    if not silent:
        yield ok(SENSORS, "every sensor has ticked recently")
