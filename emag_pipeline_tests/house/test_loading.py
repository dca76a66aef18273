"""What processes load: every module costs each of them."""

import subprocess
import sys

import pytest

_DRAWING = ["matplotlib", "numpy", "pyarrow", "pandas", "jinja2"]


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("emag_pipeline.definitions", _DRAWING),
        ("emag_pipeline.local.run", _DRAWING),
        ("emag_pipeline.cli.running", ["dagster", "alembic", "mako", *_DRAWING]),
        ("emag_pipeline.cli.monitoring", ["dagster", "alembic", "mako", *_DRAWING]),
    ],
)
def test_a_process_loads_nothing_that_it_may_never_use(module: str, unwanted: list[str]) -> None:
    assert _python(f"import {module}, sys; print(*sorted({set(unwanted)!r} & sys.modules.keys()))") == ""


def test_garbage_is_looked_for_again_once_the_definitions_are_loaded() -> None:
    assert (
        _python("import emag_pipeline.definitions, gc; print(gc.isenabled(), gc.get_freeze_count() > 0)") == "True True"
    )


def _python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()
