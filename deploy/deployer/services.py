"""systemd: install the units of a release, start, stop, ask."""

import re
import shutil
import subprocess
from pathlib import Path

from deployer import programs
from deployer.places import TARGET, UNITS, Places

_LOOK = "Look at `journalctl -u 'emag-pipeline-*' -n 50`"
#: The first systemd that knows RestartSteps.
_BACKOFF_SINCE = 254


def install_units(places: Places, release: Path) -> None:
    """Copy the units where systemd finds them, and have them started with the machine."""
    for source in sorted((release / "deploy/systemd").rglob("*")):
        if source.is_file() and (source.name != "20-backoff.conf" or _version() >= _BACKOFF_SINCE):
            target = places.units / source.relative_to(release / "deploy/systemd")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    _systemctl("daemon-reload")
    _systemctl("enable", "--quiet", TARGET, *UNITS)


def start() -> None:
    """Start everything; returns when the code location answers, since its unit waits for that."""
    _systemctl("start", TARGET, *UNITS)


def stop() -> None:
    """Stop everything; running syncs are told first and write how far they came."""
    _systemctl("stop", *reversed(UNITS), TARGET)


def inactive() -> list[str]:
    """The units that do not run."""
    return [unit for unit in UNITS if _is_active(unit) != "active"]


def _is_active(unit: str) -> str:
    done = subprocess.run(["systemctl", "is-active", unit], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _systemctl(*arguments: str) -> None:
    programs.run(["systemctl", *arguments], remedy=_LOOK)


def _version() -> int:
    found = re.match(r"systemd (\d+)", programs.run(["systemctl", "--version"], remedy="Install systemd"))
    return int(found[1]) if found else 0
