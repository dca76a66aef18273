"""The embedded server takes a share of what the machine, or the container, has."""

from pathlib import Path

import psutil
import pytest

from emag_pipeline.embedded.server import buffer_megabytes

_GIB = 2**30
_MEMORY = psutil.virtual_memory()


@pytest.mark.parametrize(("gibibytes", "megabytes"), [(0.5, 128), (1, 128), (2, 256), (4, 512), (8, 1024), (64, 1024)])
def test_an_eighth_of_the_machine_within_bounds(
    gibibytes: float, megabytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: _MEMORY._replace(total=int(gibibytes * _GIB)))
    assert buffer_megabytes(tmp_path) == megabytes


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
@pytest.mark.parametrize(
    ("limit", "megabytes"), [(str(2 * _GIB), 256), ("max", 1024), ("9223372036854771712", 1024), ("", 1024)]
)
def test_of_a_container_an_eighth_of_its_limit(
    name: str, limit: str, megabytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: _MEMORY._replace(total=64 * _GIB))
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{limit}\n")
    assert buffer_megabytes(tmp_path) == megabytes
