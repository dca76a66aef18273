"""What Dagster is told for two accounts on two marketplaces, as it was reviewed: definitions_snapshot.yaml.

After a change that is meant, `python -m emag_pipeline_tests.dagster.definitions_snapshot` writes the file anew and
prints what has changed; the file is committed with the change.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from emag_pipeline_tests.cli.commands import environment

FILE = Path(__file__).with_suffix(".yaml")

_ROOT = Path(__file__).parents[2]
_HEAD = "# Written by `python -m emag_pipeline_tests.dagster.definitions_snapshot`.\n"
_SETTINGS = {
    "EMAG_API_USERNAME": "main@seller.example",
    "EMAG_API_PASSWORD": "not-a-secret",
    "EMAG_BG_API_USERNAME": "bg@seller.example",
    "EMAG_BG_API_PASSWORD": "not-a-secret",
    "EMAG_BG_API_BASE_URL": "https://marketplace-api.emag.bg/api-3",
    "EMAG_ENV_IS_READ": "1",  # whatever `.env` is in the checkout
}


def loaded() -> Any:
    """The definitions that this checkout loads for the snapshot's settings, in a process of their own."""
    program = [sys.executable, "-m", "emag_pipeline_tests.dagster.definitions_as_data"]
    with tempfile.TemporaryDirectory(prefix="emag-definitions-") as home:
        variables = environment(Path(home), **_SETTINGS)
        done = subprocess.run(program, cwd=_ROOT, env=variables, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def recorded() -> Any:
    """The definitions as they were reviewed."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def differences(recorded: Any, loaded: Any, *place: str) -> Iterator[str]:
    """A line for each thing that is new, gone or other than recorded, with its place: `sensors.stale_marts: gone`."""
    if not (isinstance(recorded, dict) and isinstance(loaded, dict)):
        if recorded != loaded:
            yield f"{'.'.join(place)}: {_other(recorded, loaded)}"
        return
    for name in sorted(recorded.keys() | loaded.keys()):
        where = (*place, name)
        if name not in loaded:
            yield f"{'.'.join(where)}: gone"
        elif name not in recorded:
            yield f"{'.'.join(where)}: new"
        else:
            yield from differences(recorded[name], loaded[name], *where)


def _other(recorded: Any, loaded: Any) -> str:
    """How a value differs; of a list, by what is in one of them only."""
    if isinstance(recorded, list) and isinstance(loaded, list):
        gone = [f"-{one}" for one in recorded if one not in loaded]
        new = [f"+{one}" for one in loaded if one not in recorded]
        if gone or new:
            return " ".join(gone + new)
    return f"{loaded!r}, recorded is {recorded!r}"


def write() -> None:
    """Write the file anew, and print what has changed."""
    found = loaded()
    was = recorded() if FILE.exists() else {}
    text = yaml.safe_dump(found, sort_keys=True, default_flow_style=None, width=120)
    FILE.write_text(_HEAD + text, encoding="utf-8")
    print("\n".join(differences(was, found)) or "nothing has changed")


if __name__ == "__main__":
    write()
