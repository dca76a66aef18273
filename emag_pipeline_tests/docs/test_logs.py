"""docs/logs.md lists every event that the code logs, with its level, and none that it does not."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import emag_pipeline

_PACKAGE = Path(emag_pipeline.__file__).parent
_PAGE = _PACKAGE.parent / "docs" / "logs.md"
#: of each method of a logger
_LEVELS = {level: level for level in ("debug", "info", "warning", "error", "critical")} | {"exception": "error"}
_ROW = re.compile(r"\| `([a-z]+(?:_[a-z]+)*)` \| ([a-z, ]+) \|")

#: of `emag_pipeline.logs` itself: what others say
_OF_OTHERS = {("library_said", "any"), ("line_printed", "any")}


def _logged() -> Iterator[tuple[str, str]]:
    for file in _PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and node.args:
                yield from ((event, level) for level in _levels(node.func) for event in _events(node.args[0]))


def _levels(function: ast.expr) -> list[str]:
    """The levels that a call logs at: `log.info(…)`, or `(log.warning if … else log.info)(…)`."""
    if isinstance(function, ast.IfExp):
        return [*_levels(function.body), *_levels(function.orelse)]
    if isinstance(function, ast.Attribute) and ast.unparse(function.value) == "log" and function.attr in _LEVELS:
        return [_LEVELS[function.attr]]
    return []


def _events(argument: ast.expr) -> list[str]:
    if isinstance(argument, ast.IfExp):
        return [*_events(argument.body), *_events(argument.orelse)]
    return [argument.value] if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else []


def test_every_event_is_listed_with_its_levels_and_none_more() -> None:
    listed = {(event, level) for event, levels in _ROW.findall(_PAGE.read_text()) for level in levels.split(", ")}
    assert listed == set(_logged()) | _OF_OTHERS


def test_an_event_is_named_by_small_words() -> None:
    assert [event for event, _ in _logged() if not re.fullmatch(r"[a-z]+(_[a-z]+)*", event)] == []
