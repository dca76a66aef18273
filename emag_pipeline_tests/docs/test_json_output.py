"""docs/json-output.md is what the commands print with `--json`."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from inspect import getsource
from operator import attrgetter
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import typer

from emag_pipeline.admin import doctor
from emag_pipeline.cli.diagnosis import FindingJson
from emag_pipeline.cli.json_document import OUTPUTS, PATH, rendered
from emag_pipeline.cli.main import application

_ROOT = Path(__file__).parents[2]


def test_the_document_is_generated_from_the_models() -> None:
    assert (_ROOT / PATH).read_text(encoding="utf-8") == rendered(), "run `python -m emag_pipeline.cli.json_document`"


def test_every_command_that_prints_json_is_in_it() -> None:
    group = typer.main.get_group(application())
    printing = {
        name
        for name, command in group.commands.items()
        if any("--json" in parameter.opts for parameter in command.params)
    }
    assert printing == OUTPUTS.keys()


def test_every_subject_of_doctor_is_in_it_and_no_other() -> None:
    listed = re.findall(r"`([^`]+)`", FindingJson.model_fields["subject"].description or "")
    modules = [import_module(f"{doctor.__name__}.{module.name}") for module in iter_modules(doctor.__path__)]
    assert {subject for module in modules for subject in _subjects(module)} == set(listed)
    assert len(listed) == len(set(listed))


#: What takes a subject as its first argument.
_NAMING = {"ok", "warning", "broken", "not_examined", "of_error", "unheard", "Finding", "Examination"}


def _subjects(module: ModuleType) -> Iterator[str]:
    """The subjects that a module of doctor names: literally, by a constant, or by the account's name."""
    for node in ast.walk(ast.parse(getsource(module))):
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).rpartition(".")[2] in _NAMING:
            yield from _named(module, node.args[0])
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).startswith("subject"):
            yield from _named(module, node.value.elts[0] if isinstance(node.value, ast.Tuple) else node.value)


def _named(module: ModuleType, subject: ast.expr) -> Iterator[str]:
    if isinstance(subject, ast.JoinedStr):
        yield re.sub(r"{.+}", "NAME", ast.unparse(subject)[2:-1])
    elif isinstance(subject, ast.Constant):
        yield str(subject.value)
    elif (name := ast.unparse(subject)).rpartition(".")[2].isupper():
        yield attrgetter(name)(module)
