"""One name for one thing: a class name is not used twice. The sandbox is a stranger and may call things as it likes."""

import ast
from collections import defaultdict
from pathlib import Path

_PACKAGE = Path(__file__).parents[2] / "emag_pipeline"


def test_no_two_classes_have_one_name() -> None:
    found = defaultdict(list)
    for file in sorted(_PACKAGE.rglob("*.py")):
        path = file.relative_to(_PACKAGE)
        if path.parts[0] != "sandbox":
            for node in ast.parse(file.read_text("utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].append(str(path))
    assert len(found) > 100
    assert {name: places for name, places in found.items() if len(places) > 1} == {}
