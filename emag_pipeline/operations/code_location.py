"""Has Dagster loaded the pipeline's definitions? Its webserver serves happily when it has not."""

import http.client
import json
from typing import Any

from emag_pipeline.errors import PermanentError
from emag_pipeline.operations import ports

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
