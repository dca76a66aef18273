"""The programs that `up` runs, and how each says that it is ready."""

import http.client
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emag_pipeline.errors import PermanentError
from emag_pipeline.local import ports
from emag_pipeline.sandbox.server import DEFAULT_ACCOUNTS
from emag_pipeline.settings import Settings

# Has Dagster loaded the pipeline's definitions? Its webserver serves happily when it has not.

_QUERY = """{ workspaceOrError { __typename ... on PythonError { message } ... on Workspace {
    locationEntries { name loadStatus locationOrLoadError { __typename ... on PythonError { message } } } } } }"""


_RELOAD = """mutation { reloadRepositoryLocation(repositoryLocationName: "emag_pipeline") { __typename } }"""
_UNREACHABLE = "DagsterUserCodeUnreachableError"


def reload_if_unreachable(port: int) -> bool:
    """Let a webserver that began while its code server did not answer ask it again, which it does not by itself.

    True when it had to. A webserver that does not answer is left to whoever looks after it.
    """
    try:
        errors = _errors(_ask(port, _QUERY)["data"]["workspaceOrError"])
        if not any(_UNREACHABLE in error for error in errors):
            return False
        _ask(port, _RELOAD)
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return False
    return True


def is_loaded(port: int) -> bool:
    """Whether the webserver answers and has loaded them. Raises PermanentError with the reason when it could not.

    A code server that does not answer (yet) is no such reason.
    """
    try:
        workspace = _ask(port, _QUERY)["data"]["workspaceOrError"]
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return False
    found = workspace.get("locationEntries", [])
    for error in _errors(workspace):
        if _UNREACHABLE in error:
            return False
        raise PermanentError(
            "Dagster could not load emag_pipeline.definitions",
            why=_reason(error),
            remedy="Correct that and start again; the webserver's log has the details",
        )
    return bool(found) and all(entry["loadStatus"] == "LOADED" for entry in found)


def _errors(workspace: Any) -> list[str]:
    """Why the workspace or a location of it could not be loaded."""
    entries = [entry["locationOrLoadError"] or {} for entry in workspace.get("locationEntries", [])]
    return [str(one["message"]) for one in (workspace, *entries) if one.get("__typename") == "PythonError"]


def _ask(port: int, query: str) -> Any:
    connection = http.client.HTTPConnection(ports.HOST, port, timeout=10)
    try:
        connection.request("POST", "/graphql", json.dumps({"query": query}), {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def _reason(message: str) -> str:
    """Dagster's last line, without its advice on working directories."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return lines[-1].split(". Local modules were resolved")[0].rstrip(".") if lines else "no reason given"


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
    """The sandbox marketplace, with the configured accounts and limits."""
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
        "emag_pipeline.dagster_runs.code_server",
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
    return Program("webserver", command, lambda: is_loaded(settings.ui_port))


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
