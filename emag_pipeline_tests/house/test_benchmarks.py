"""How benchmarks tell what they measured. What they measure is no test: a slow machine is not a defect."""

import subprocess
import sys

import pytest

from benchmarks import machine, page
from benchmarks.__main__ import _ALL
from benchmarks.page import Section, Start
from benchmarks.report import Aim, Outcome
from benchmarks.surroundings import high_water_mebibytes
from benchmarks.wish import Wish


@pytest.mark.parametrize(
    ("aim", "met", "missed"),
    [(Aim("≥", 0.97), 0.97, 0.9699), (Aim("≤", 1.25), 1.25, 1.2501), (Aim("<", 1), 0.999, 1.0)],
)
def test_a_figure_meets_its_aim_or_misses_it(aim: Aim, met: float, missed: float) -> None:
    assert Outcome("what", met, aim, "").verdict == "met"
    assert Outcome("what", missed, aim, "").verdict == "MISSED"


def test_the_page_says_what_was_missed_skipped_and_broken() -> None:
    outcomes = [
        Outcome("fast enough", 2.0, Aim("≥", 1), "2 of 1"),
        Outcome("too much", 1234.5, Aim("≤", 3), "why"),
        Outcome("beside a peer", None, None, "skipped: it is not installed"),
    ]
    section = Section("things", "What things cost.", "a slower thing.", outcomes, 3.0, broke="ValueError: no more")
    text = page.text(Start.now(), Wish(scale=0.2), [section])
    assert "1 of 2 aims met." in text
    assert "**0.2** of the large catalogues" in text
    assert "| too much | 1,234 | ≤ 3 | **missed** | why |" in text
    assert "| beside a peer | - |  | skipped | skipped: it is not installed |" in text
    assert "**It broke off:** ValueError: no more" in text
    assert "python -m benchmarks things --spoil" in text


def test_the_machine_is_described_without_its_name() -> None:
    assert {"processor", "memory", "Python"} <= dict(machine.described()).keys()


def test_every_benchmark_stands_on_the_page_and_says_how_it_is_spoilt() -> None:
    text = page.PATH.read_text(encoding="utf-8")
    for name, module in _ALL.items():
        assert f"## {name}\n" in text
        assert module.SPOILT in text


def test_a_process_does_not_inherit_the_memory_of_the_one_that_began_it() -> None:

    held = bytearray(300 << 20)
    held[::4096] = b"x" * len(held[::4096])
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as child:
        assert 0 < high_water_mebibytes(child.pid) < 100
    assert high_water_mebibytes(child.pid) == 0
