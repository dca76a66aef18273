"""Has Dagster loaded the pipeline's definitions? Its webserver serves happily when it has not."""

import http.client
import json
from typing import Any

from emag_pipeline.errors import PermanentError
from emag_pipeline.operations import ports

_QUERY = """{ workspaceOrError { __typename ... on PythonError { message } ... on Workspace {
    locationEntries { name loadStatus locationOrLoadError { __typename ... on PythonError { message } } } } } }"""


def is_loaded(port: int) -> bool:
    """Whether the webserver answers and has loaded them. Raises PermanentError with the reason when it could not."""
    try:
        workspace = _ask(port, _QUERY)["data"]["workspaceOrError"]
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return False
    found = workspace.get("locationEntries", [])
    for answer in (workspace, *(entry["locationOrLoadError"] or {} for entry in found)):
        if answer.get("__typename") == "PythonError":
            raise PermanentError(
                "Dagster could not load emag_pipeline.definitions",
                why=_reason(answer["message"]),
                remedy="Correct that and start again; the webserver's log has the details",
            )
    return bool(found) and all(entry["loadStatus"] == "LOADED" for entry in found)


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
