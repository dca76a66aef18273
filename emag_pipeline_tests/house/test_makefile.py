"""`make` in a fresh clone, and in a second worktree that shares the `.venv` of the first."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]

#: Without what the `make` that runs these tests hands down, such as its VENV.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `make dev` reads, without a .venv."""
    here = tmp_path / "second"
    here.mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements-dev.lock"):
        shutil.copy(_ROOT / name, here)
    return here


def _would_run(checkout: Path, *arguments: str) -> str:
    command = ["make", "--dry-run", "--no-print-directory", *arguments]
    return _run(command, checkout)


def _run(command: list[str], checkout: Path) -> str:
    done = subprocess.run(
        command, cwd=checkout, env=_ENVIRONMENT, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_a_fresh_clone_gets_a_venv_of_its_own(checkout: Path) -> None:
    said = _would_run(checkout, "quick")
    assert " -m venv .venv" in said
    assert "pip install" in said


def test_a_linked_venv_is_used_as_it_is_for_the_code_of_this_checkout(checkout: Path) -> None:
    tools = checkout.parent / "first/.venv/bin"
    tools.mkdir(parents=True)
    tool = tools / "pytest"
    tool.write_text('#!/bin/sh\necho "code of $PYTHONPATH"\n')
    tool.chmod(0o755)
    (checkout / ".venv").symlink_to(tools.parent)
    assert not [word for word in ("-m venv", "pip install", "touch") if word in _would_run(checkout, "quick")]
    assert _run(["make", "--silent", "quick"], checkout) == f"code of {checkout}\n"
    assert [one.name for one in tools.parent.iterdir()] == ["bin"]
