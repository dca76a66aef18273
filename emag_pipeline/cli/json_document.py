"""docs/json-output.md, from the models of the commands: `python -m emag_pipeline.cli.json_document` in a checkout."""

import inspect
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emag_pipeline.admin.probe.probe_file import ProbeFileJson
from emag_pipeline.cli import database, diagnosis, monitoring, offers, practice, recovery, review, running
from emag_pipeline.json_output import JsonModel

PATH = Path("docs/json-output.md")
#: The model that each command prints with `--json`, and whether it prints a list of them.
OUTPUTS: Mapping[str, tuple[type[JsonModel], bool]] = {
    "sync": (running.SyncSummaryJson, False),
    "status": (monitoring.StatusJson, False),
    "doctor": (diagnosis.DiagnosisJson, False),
    "probe": (ProbeFileJson, False),
    "stuck": (recovery.StuckJson, False),
    "recover": (recovery.RecoverJson, False),
    "stop": (recovery.StopJson, False),
    "discard": (review.DiscardedJson, False),
    "forget": (database.ForgetJson, False),
    "rejects": (review.RejectJson, True),
    "explain": (offers.ExplanationJson, False),
    "history": (offers.HistoryJson, False),
    "deviations": (review.DeviationJson, True),
    "prune": (database.PruneJson, False),
    "drill": (practice.DrillsJson, False),
}
_HEAD = """\
# JSON output

Written by `python -m emag_pipeline.cli.json_document`; do not edit it.

With `--json` a command prints one JSON document to standard output, and everything else to standard error. Exit codes
are the same as without it.

- Times are ISO 8601 in UTC, to the microsecond: `2026-03-01T04:00:00.000005Z`.
- Prices are strings, so that no digit is lost: `"10.4995"`. Ids of offers are integers, ids of syncs are UUID strings.
- Unknown values are `null`. Fields are added, never renamed or removed: ignore those that you do not know.
- Sentences are for people and may change; decide by codes, states and numbers.
"""


def rendered() -> str:
    """The whole document."""
    lines = [_HEAD]
    for command, (model, is_list) in OUTPUTS.items():
        lines += [f"## `emag-pipeline {command} --json`", ""]
        lines += _model(model.model_json_schema(mode="serialization"), is_list=is_list)
    return "\n".join(lines)


def _model(schema: Mapping[str, Any], *, is_list: bool) -> Iterator[str]:
    """The object that the command prints, then each object in it, under the name of its field."""
    if is_list:
        yield "A list of objects:"
        yield ""
    yield from _section(schema)
    first: dict[str, str] = {}
    for path, name, inner in _inner(schema, schema.get("$defs", {}), ""):
        yield f"### {path}"
        yield ""
        if name in first:
            yield f"As {first[name]}."
            yield ""
        else:
            first[name] = path
            yield from _section(inner)


def _section(schema: Mapping[str, Any]) -> Iterator[str]:
    yield inspect.cleandoc(schema["description"])
    yield ""
    yield "| field | type | meaning |"
    yield "|---|---|---|"
    for name, field in schema["properties"].items():
        yield f"| `{name}` | {_type(field)} | {field['description']} |"
    yield ""


def _inner(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], above: str
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each object in the document: its path, the name of its model, and its schema."""
    for name, field in schema["properties"].items():
        path = f"{above}.{name}" if above else name
        objects = [one for one in _references(field) if "properties" in definitions[one]]
        for number, one in enumerate(objects, 1):
            yield f"`{path}`" + (f", form {number}" if len(objects) > 1 else ""), one, definitions[one]
            yield from _inner(definitions[one], definitions, path)


def _references(field: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in field:
        yield field["$ref"].rpartition("/")[2]
    for part in (*field.get("anyOf", ()), *filter(None, [field.get("items")])):
        yield from _references(part)


_WORDS = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean", "null": "null"}
_FORMATS = {"date-time": "time", "uuid": "UUID"}


def _type(field: Mapping[str, Any]) -> str:
    """A field's type in words, e.g. `list of objects`, `time or null`."""
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(map(_type, field["anyOf"])))
    if "$ref" in field:
        return "text" if field["$ref"].endswith("/Verdict") else "object"
    if field["type"] == "array":
        return f"list of {_plural(field['items'])}"
    if field["type"] == "object":
        values = field["additionalProperties"]
        return "object" if values is True else f"object of {_plural(values)} by name"
    return _FORMATS.get(field.get("format", "")) or _WORDS[field["type"]]


def _plural(items: Mapping[str, Any]) -> str:
    word = _type(items).split(" or ")[0]
    return word if word == "text" else f"{word}s"


def main() -> None:
    """Write the document again."""
    PATH.write_text(rendered(), encoding="utf-8")
    sys.stdout.write(f"{PATH}\n")


if __name__ == "__main__":
    main()
