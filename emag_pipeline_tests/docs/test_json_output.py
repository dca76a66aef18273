"""docs/json-output.md is what the commands print with `--json`."""

from pathlib import Path

import typer

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
