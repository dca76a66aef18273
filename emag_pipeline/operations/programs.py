"""The programs that `up` runs, and how each says that it is ready."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emag_pipeline.operations import code_location, ports
from emag_pipeline.sandbox.server import DEFAULT_ACCOUNTS
from emag_pipeline.settings import Settings

#: offers of a sandbox account that has no number of its own
_OFFERS = 500
_SANDBOX_LATENCY_SECONDS = 0.1
#: what starts one of Dagster's own programs, by its module
_DAGSTERS = (sys.executable, "-m", "emag_pipeline.logs.dagster_program")


@dataclass(frozen=True, slots=True)
class Program:
    """One program: its name (and log's name), its command line without secrets, whether it is ready to be used."""

    name: str
    command: tuple[str, ...]
    is_ready: Callable[[], bool]


def sandbox(settings: Settings) -> Program:
    """The marketplace to try on, with the configured accounts and limits."""
    offers = [f"{account.name}={DEFAULT_ACCOUNTS.get(account.name, _OFFERS)}" for account in settings.accounts]
    arguments = {
        "--host": settings.sandbox_bind,
        "--port": settings.sandbox_port,
        "--requests-per-second": settings.requests_per_second,
        "--requests-per-minute": settings.requests_per_minute,
        "--latency-seconds": _SANDBOX_LATENCY_SECONDS,
        "--parameters": settings.sandbox_parameters,
    }
    options = (str(part) for pair in arguments.items() for part in pair)
    command = (sys.executable, "-m", "emag_pipeline.sandbox", *options, "--offers", *offers)
    return Program("sandbox", command, lambda: ports.answers(settings.sandbox_port, settings.sandbox_host))


def code_server(settings: Settings, socket: Path) -> Program:
    """Dagster's server of the pipeline's definitions, which also starts the runs; ready when it answers.

    One for webserver and daemon: each would start its own, the daemon a new one every minute (Dagster 1.13.27).
    """
    # definitions that do not load are the webserver's to tell: a server that ends says less
    what = ("--module-name", "emag_pipeline.definitions", "--location-name", "emag_pipeline", "--lazy-load-user-code")
    logs = ("--log-level", settings.log_level, "--log-format", _log_format(settings))
    command = (
        sys.executable,
        "-m",
        "emag_pipeline.runs.code_server",
        "api",
        "grpc",
        "--socket",
        str(socket),
        *what,
        *logs,
    )
    return Program("code-server", command, lambda: ports.answers_on(socket))


def webserver(settings: Settings, workspace: Path) -> Program:
    """Dagster's UI, on this machine only; ready when it has loaded the pipeline's definitions."""
    module = (*_DAGSTERS, "dagster_webserver")
    address = ("-h", ports.HOST, "-p", str(settings.ui_port))
    logs = ("--dagster-log-level", settings.log_level, "--log-format", _log_format(settings))
    command = (*module, *address, "-w", str(workspace), *logs)
    return Program("webserver", command, lambda: code_location.is_loaded(settings.ui_port))


def daemon(settings: Settings, workspace: Path) -> Program:
    """Dagster's daemon: schedules, sensors, the run queue, monitoring and retries."""
    logs = ("--log-level", settings.log_level, "--log-format", _log_format(settings))
    command = (*_DAGSTERS, "dagster._daemon", "run", "-w", str(workspace), *logs)
    return Program("daemon", command, lambda: True)


def exporter(settings: Settings) -> Program:
    """Metrics and health for Prometheus and probes; ready when both ports answer."""
    command = (sys.executable, "-m", "emag_pipeline", "exporter")
    listening = (settings.metrics_port, settings.health_port)
    return Program("exporter", command, lambda: all(ports.answers(port, settings.bind) for port in listening))


def _log_format(settings: Settings) -> str:
    """Dagster's name for it; its output goes to a file, where JSON is the default."""
    return "rich" if settings.log_format == "console" else "json"
