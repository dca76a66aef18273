"""docs/benchmarks.md, as a whole run of all benchmarks writes it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks import machine
from benchmarks.report import Outcome
from benchmarks.wish import Wish

PATH = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"

_HEAD = """# Benchmarks

Written by `make bench`; do not edit. Ratios compare what was measured within this one run, so a slower machine changes
them little. CPU-seconds are user and system time. `python -m benchmarks NAME` repeats one of them, `--spoil` makes it
come out bad on purpose: a figure that could not would be worth nothing. An aim that was missed stands here as missed.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """What one benchmark measured. `broke` says why it could not go on, empty if it could."""

    name: str
    about: str
    spoilt: str
    outcomes: Sequence[Outcome]
    seconds: float
    broke: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """When a run began, and how busy the machine was by itself."""

    at: datetime
    clock: float
    load: float

    @classmethod
    def now(cls) -> "Start":
        """This moment."""
        return cls(datetime.now(UTC), time.monotonic(), machine.load_average())


def write(start: Start, wish: Wish, sections: Sequence[Section]) -> None:
    """Write the page."""
    PATH.write_text(text(start, wish, sections), encoding="utf-8")


def text(start: Start, wish: Wish, sections: Sequence[Section]) -> str:
    """The page."""
    aimed = [one for section in sections for one in section.outcomes if one.aim and one.figure is not None]
    met = sum(one.verdict == "met" for one in aimed)
    return "\n".join(
        [
            _HEAD,
            f"{met} of {len(aimed)} aims met.\n",
            "## The run",
            *[f"- {name}: {value}" for name, value in _facts(start, wish)],
            "",
            *[line for section in sections for line in _section(section)],
        ]
    )


def _facts(start: Start, wish: Wish) -> list[tuple[str, str]]:
    busy = f"{start.load:.1f} processes wanted a core before it began"
    if start.load > 0.3 * (psutil.cpu_count() or 1):
        busy += ": **the machine was not idle**, seconds are too long and CPU-seconds too many, for all alike"
    minutes = (time.monotonic() - start.clock) / 60
    return [
        ("began", f"{start.at:%Y-%m-%d %H:%M} UTC, took {minutes:.0f} minutes"),
        *machine.described(),
        ("load", busy),
        *(
            []
            if wish.scale == 1
            else [("scale", f"**{wish.scale:g}** of the large catalogues of load, memory and peers")]
        ),
    ]


def _section(section: Section) -> list[str]:
    return [
        f"## {section.name}",
        section.about,
        "",
        "| what | figure | aim | | measured |",
        "|---|---|---|---|---|",
        *[outcome.row() for outcome in section.outcomes],
        "",
        *([f"**It broke off:** {section.broke}", ""] if section.broke else []),
        f"Spoilt (`python -m benchmarks {section.name} --spoil`): {section.spoilt}",
        "",
    ]
