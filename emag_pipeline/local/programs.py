"""The programs that `up` runs, and how each shows that it is ready."""

import http.client
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emag_pipeline.errors import PermanentError
from emag_pipeline.local import ports
from emag_pipeline.local.child import Child, Program
from emag_pipeline.sandbox.server import DEFAULT_ACCOUNTS
from emag_pipeline.settings import Settings
from emag_pipeline.settings.home import directory

#: default number of offers of a sandbox account
_OFFERS = 500
_SANDBOX_LATENCY_SECONDS = 0.1
_STOP_SECONDS = 10.0
#: The module that starts one of Dagster's own programs.
_DAGSTERS = "emag_pipeline.logs.dagster_program"


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
    command = _python("emag_pipeline.sandbox", *options, "--offers", *offers)
    return Program("sandbox", command, lambda: ports.answers(settings.sandbox_port, settings.sandbox_host))


def code_server(settings: Settings, socket: Path) -> Program:
    """Dagster's server of the pipeline's definitions, which also starts the runs; ready when it responds.

    Shared by webserver and daemon: otherwise each starts its own, the daemon a new one every minute (Dagster 1.13.27).
    """
    # keep running if definitions do not load: the webserver then reports the reason in more detail
    what = ("--module-name", "emag_pipeline.definitions", "--location-name", "emag_pipeline", "--lazy-load-user-code")
    started = ("emag_pipeline.dagster_runs.code_server", "api", "grpc", "--socket", str(socket))
    return Program("code-server", _python(*started, *what, *_logs(settings)), lambda: ports.answers_on(socket))


def webserver(settings: Settings, workspace: Path) -> Program:
    """Dagster's UI, on this machine only; ready when it has loaded the pipeline's definitions."""
    address = ("-h", ports.HOST, "-p", str(settings.ui_port))
    logs = _logs(settings, "--dagster-log-level")
    command = _python(_DAGSTERS, "dagster_webserver", *address, "-w", str(workspace), *logs)
    return Program("webserver", command, lambda: is_loaded(settings.ui_port))


def daemon(settings: Settings, workspace: Path) -> Program:
    """Dagster's daemon: schedules, sensors, the run queue, monitoring and retries."""
    return Program("daemon", _python(_DAGSTERS, "dagster._daemon", "run", "-w", str(workspace), *_logs(settings)))


def exporter(settings: Settings) -> Program:
    """Metrics and health for Prometheus and probes; ready when both ports respond."""
    listening = (settings.metrics_port, settings.health_port)
    command = _python("emag_pipeline", "exporter")
    return Program("exporter", command, lambda: all(ports.answers(port, settings.bind) for port in listening))


def _python(*module_and_arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", *module_and_arguments)


def _logs(settings: Settings, level: str = "--log-level") -> tuple[str, ...]:
    """Log options of one of Dagster's programs, whose output goes to a file: JSON unless configured otherwise."""
    return (level, settings.log_level, "--log-format", "rich" if settings.log_format == "console" else "json")


@contextmanager
def sandbox_beside(settings: Settings, environment: Mapping[str, str]) -> Iterator[bool]:
    """Run the sandbox during one command, unless real accounts are configured or it is already running; yields whether.

    It is stopped at the end. Raises TransientError if it does not start, SettingsError if its port belongs to a stopped
    program (SIGSTOP), for which every call would wait.
    """
    if not settings.starts_sandbox:
        yield False
        return
    if ports.answers(settings.sandbox_port, settings.sandbox_host):
        ports.require_not_stopped(settings.sandbox_port, "EMAG_SANDBOX_PORT", "the sandbox")
        yield False
        return
    child = Child(sandbox(settings), environment, directory(settings.home, "logs"))
    try:
        child.await_ready()
        yield True
    finally:
        child.stop()
        child.wait(_STOP_SECONDS)


# Has Dagster loaded the pipeline's definitions? Its webserver responds even if it has not.

_QUERY = """{ workspaceOrError { __typename ... on PythonError { message } ... on Workspace {
    locationEntries { name loadStatus locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
_RELOAD = """mutation { reloadRepositoryLocation(repositoryLocationName: "emag_pipeline") { __typename } }"""
_UNREACHABLE = "DagsterUserCodeUnreachableError"
_NO_ANSWER = (OSError, http.client.HTTPException, ValueError, KeyError)


def reload_if_unreachable(port: int) -> None:
    """Make a webserver that could not reach its code server try again, which it does not do automatically.

    Does nothing if the webserver does not respond.
    """
    try:
        if any(_UNREACHABLE in error for error in _errors(_workspace(port))):
            _ask(port, _RELOAD)
    except _NO_ANSWER:
        pass


def is_loaded(port: int) -> bool:
    """Whether the webserver responds and has loaded them. Raises PermanentError with the reason if it could not.

    A code server that does not respond (yet) is not such a reason.
    """
    try:
        workspace = _workspace(port)
    except _NO_ANSWER:
        return False
    for error in _errors(workspace):
        if _UNREACHABLE in error:
            return False
        raise PermanentError(
            "Dagster could not load emag_pipeline.definitions",
            why=_reason(error),
            remedy="Correct that and start again; the webserver's log has the details",
        )
    found = workspace.get("locationEntries", [])
    return bool(found) and all(entry["loadStatus"] == "LOADED" for entry in found)


def _workspace(port: int) -> Any:
    return _ask(port, _QUERY)["data"]["workspaceOrError"]


def _errors(workspace: Any) -> list[str]:
    """Why the workspace or one of its locations could not be loaded."""
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
