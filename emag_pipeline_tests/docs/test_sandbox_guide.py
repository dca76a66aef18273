"""docs/how-to/sandbox.md: its examples, run in order against a real sandbox, answer as the page says."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline.drills.judgement import is_said
from emag_pipeline.sandbox import SandboxControl
from emag_pipeline.sandbox.faults import CHOICES, LIMITS, OPTIONS
from emag_pipeline.sandbox.like import figures

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the page's examples use curl")

_PAGE = (Path(__file__).parents[2] / "docs/how-to/sandbox.md").read_text(encoding="utf-8")
_PROBE = (Path(__file__).parents[2] / "docs/how-to/probe.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = r"`([\w-]+)`"
_PORT = "8765"


def blocks(language: str) -> list[str]:
    """The page's code blocks in a language."""
    return [text for name, text in _BLOCK.findall(_PAGE) if name == language]


def examples() -> list[tuple[str, str]]:
    """Each command of the console blocks with what it prints; `…` stands for any text."""
    prompts = [prompt for block in blocks("console") for prompt in block.split("$ ")[1:]]
    return [(command, said.strip()) for command, _, said in (prompt.partition("\n") for prompt in prompts)]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The sandbox as the page's first example starts it, on a free port."""
    command, _ = examples()[0]
    arguments = command.replace(_PORT, "0").split()[1:]
    process = subprocess.Popen([sys.executable, "-m", "emag_pipeline", *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("sandbox: ").strip()
    finally:
        process.kill()
        process.communicate()


def test_the_examples_answer_as_the_page_says(address: str) -> None:
    port = address.rpartition(":")[2].partition("/")[0]
    assert is_said(examples()[0][1], f"sandbox: {address}".replace(port, _PORT))
    assert examples()[1:]
    for command, expected in examples()[1:]:
        done = subprocess.run(
            ["bash", "-c", command.replace(_PORT, port)], capture_output=True, text=True, timeout=30, check=True
        )
        assert is_said(expected, done.stdout.strip()), (command, done.stdout)


def test_every_fault_and_limit_is_listed_with_its_options_and_choices() -> None:
    assert {name for (name,), _ in _table(_PAGE, "limit")} == LIMITS
    told = [(kind, set(words)) for kinds, words in _table(_PAGE, "kind") for kind in kinds]
    assert sorted(kind for kind, _ in told) == sorted(OPTIONS)
    for kind, words in told:
        choices = {one for (of, _), known in CHOICES.items() if of == kind for one in known}
        assert (kind, words - LIMITS - {"isError", "Retry-After"}) == (kind, OPTIONS[kind].keys() | choices)


def test_every_verb_and_setting_is_listed(address: str) -> None:
    told = {verb: words for verbs, words in _table(_PAGE, "verb") for verb in verbs}
    control = SandboxControl(address)
    with pytest.raises(ValueError, match="the known ones are") as caught:
        control.command("nothing", {})
    assert sorted(told) == sorted(str(caught.value).rpartition(" are ")[2].rstrip(".").split(", "))
    assert sorted(told["settings"]) == sorted(control.settings().keys() - {"seed"})


def test_every_figure_of_a_probes_file_is_listed_with_its_types() -> None:
    told = {name: words for names, words in _table(_PROBE, "figure") for name in names}
    assert (set(told), told["types"]) == (set(figures.KNOWN), list(figures.TYPES))


def _table(page: str, head: str) -> list[tuple[list[str], list[str]]]:
    """The rows of the table whose first column is `head`: the names of that column, and those in the others."""
    (rows,) = re.findall(rf"^\| {head} \|.*\n\| ---.*\n((?:\|.*\n)+)", page, re.MULTILINE)
    cells = [row.split("|", 2)[1:] for row in rows.splitlines()]
    return [(re.findall(_NAME, first), re.findall(_NAME, others)) for first, others in cells]


def test_the_list_of_faults_is_accepted(address: str) -> None:
    control = SandboxControl(address)
    assert blocks("json")
    for block in blocks("json"):
        assert json.loads(block)
        assert len(control.command("faults", json.loads(block))["added"]) == len(json.loads(block))
    control.clear_faults()


def test_the_python_example_prints_what_its_comments_say(address: str) -> None:
    port = address.rpartition(":")[2].partition("/")[0]
    (code,) = blocks("python")
    SandboxControl(address).reset_stats()
    done = subprocess.run(
        [sys.executable, "-c", code.replace(_PORT, port)], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.split()
    assert done.stdout.split() == re.findall(r"# (\w+)$", code, re.MULTILINE)
