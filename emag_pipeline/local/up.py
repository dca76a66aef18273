"""`emag-pipeline up`: runs everything on one machine until a signal stops it.

This process starts, watches, restarts and stops programs. The first refresh needs no command: Dagster's sensor
`stale_accounts` (`monitoring/dagster.py`) requests it.
"""

import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from emag_pipeline.console import Narrator
from emag_pipeline.errors import Interrupted, PipelineError
from emag_pipeline.local import ports, programs
from emag_pipeline.local.embedded_use import EmbeddedWatch
from emag_pipeline.local.progress import ProgressWatch
from emag_pipeline.local.stop_signals import StopSignals
from emag_pipeline.local.supervisor import Supervisor, end_left_behind
from emag_pipeline.local.surroundings import DagsterHome, Surroundings, opened, require_same_marketplaces, surroundings
from emag_pipeline.local.words import source_words, unknown_accounts
from emag_pipeline.running_up import claimed
from emag_pipeline.settings import Settings
from emag_pipeline.wording import counted

_MEND_SECONDS = 1.0
#: How long after a restart, and how often, to check that the webserver has found its code server.
_SETTLING_SECONDS, _CODE_SERVER_SECONDS = 180.0, 5.0


def up(settings: Settings, narrator: Narrator) -> int:
    """Run everything until a signal arrives; returns the exit code (130 after Ctrl-C, 0 after SIGTERM).

    Returns 0 at once if it is already running in this home. Raises SettingsError for a port in use before anything is
    started, TransientError if a program does not start or dies repeatedly. Main thread only.
    """
    ui = f"http://{ports.HOST}:{settings.ui_port}"
    accounts = [account.name for account in settings.accounts]
    with StopSignals() as signals, claimed(settings.home, ui, settings.ports, accounts) as other:
        if other is not None:
            narrator.say(f"already running: process {other.pid}, since {other.since}, UI at {other.ui}")
            for variable, port in settings.ports.items():
                if other.ports.get(variable, port) != port:
                    kept = f"stays at {other.ports[variable]} until that `up` is stopped"
                    narrator.say(f"{variable} is {port} here, and is ignored: it {kept}")
            return 0
        try:
            _run(settings, narrator, signals, ui)
        except (Interrupted, PipelineError):
            if not signals.received:  # errors caused by Ctrl-C are not failures
                raise
        narrator.say("stopped")
        return signals.exit_code


def _run(settings: Settings, narrator: Narrator, signals: StopSignals, ui: str) -> None:
    settings.require_marketplace()
    left = end_left_behind(settings.home)
    if left:
        narrator.say(f"ended {counted(left, 'process', 'processes')} left behind by an `up` that was killed")
    _require_ports(settings)
    _introduce(settings, narrator)
    with (
        # a short path, whatever EMAG_HOME is, accessible only to this user
        tempfile.TemporaryDirectory(prefix="emag-up-") as sockets,
        surroundings(settings, narrator.say, narrator.say) as around,
    ):
        require_same_marketplaces(around.databases, settings, [account.name for account in settings.accounts])
        supervisor = Supervisor(settings.home, around.environment, signals, narrator.say)
        try:
            _start(settings, around.dagster, Path(sockets), supervisor, narrator)
            narrator.say(f"ready: look at {ui} (logs in {settings.home / 'logs'}; Ctrl-C stops everything)")
            _watch(settings, around, supervisor, signals, narrator)
        finally:
            if signals.received:
                narrator.say(f"{signals.name}: stopping; the next start resumes what is under way")
            supervisor.stop()


def _require_ports(settings: Settings) -> None:
    ports.require_free(settings.ui_port, "EMAG_UI_PORT", "Dagster's UI")
    ports.require_free(settings.metrics_port, "EMAG_SYNC_METRICS_PORT", "the exporter's metrics", settings.bind)
    ports.require_free(settings.health_port, "EMAG_SYNC_HEALTH_PORT", "the exporter's health", settings.bind)
    if settings.starts_sandbox:
        ports.require_free(settings.sandbox_port, "EMAG_SANDBOX_PORT", "the sandbox", settings.sandbox_bind)


def _introduce(settings: Settings, narrator: Narrator) -> None:
    narrator.say(source_words(settings))
    narrator.say(f"home: {settings.home}")
    for account in settings.accounts:
        where = "sandbox, invented offers" if settings.uses_sandbox else urlsplit(account.base_url).netloc
        narrator.say(f"account {account.name}: {where}")
    if settings.uses_sandbox:
        narrator.say("no credentials are set: a SANDBOX marketplace is used (see .env.example for a real account)")
    for what, remedy in unknown_accounts(settings):
        narrator.say(f"{what}. {remedy}.")


def _start(settings: Settings, dagster: DagsterHome, sockets: Path, supervisor: Supervisor, narrator: Narrator) -> None:
    if settings.starts_sandbox:
        narrator.say(f"starting the sandbox on port {settings.sandbox_port}")
        supervisor.start(programs.sandbox(settings))
    narrator.say("starting Dagster's code server")
    workspace = dagster.sharing(sockets / "code")
    supervisor.start(programs.code_server(settings, sockets / "code"))
    narrator.say(f"starting Dagster's webserver on port {settings.ui_port}")
    supervisor.start(programs.webserver(settings, workspace))
    # after the webserver, which creates Dagster's tables: both at once would conflict
    narrator.say("starting Dagster's daemon")
    supervisor.start(programs.daemon(settings, workspace))
    metrics, health = (f"http://{settings.bind}:{port}" for port in (settings.metrics_port, settings.health_port))
    narrator.say(f"starting the exporter: {metrics}/metrics and {health}/health")
    supervisor.start(programs.exporter(settings))


def _watch(
    settings: Settings, around: Surroundings, supervisor: Supervisor, signals: StopSignals, narrator: Narrator
) -> None:
    names = [account.name for account in settings.accounts]
    watch = EmbeddedWatch(settings, narrator.say)
    next_look = next_call = look_until = 0.0
    with opened(around.databases, settings) as database:
        progress = ProgressWatch(
            database, names, narrator, interval_seconds=settings.progress_interval_seconds, settings=settings
        )
        try:
            while True:
                watch.repair()
                now = time.monotonic()
                if supervisor.repair(watch.is_away):
                    look_until = now + _SETTLING_SECONDS
                if next_call <= now < look_until:
                    programs.reload_if_unreachable(settings.ui_port)
                    next_call = now + _CODE_SERVER_SECONDS
                if time.monotonic() >= next_look:
                    progress.look()
                    next_look = time.monotonic() + progress.interval_seconds
                signals.wait(_MEND_SECONDS)
        finally:
            progress.end()
