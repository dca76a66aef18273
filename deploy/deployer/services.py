"""systemd: install the units of a release, start, stop; and whether what was started works."""

import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from deployer import programs, settings_file
from deployer.places import TARGET, UNITS, Failure, Places

_LOOK = "Look at `journalctl -u 'emag-pipeline-*' -n 50`"
#: The first systemd that knows RestartSteps.
_BACKOFF_SINCE = 254
_PAUSE_SECONDS = 1.0


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
    """Stop everything; running syncs get the signal first and record their progress."""
    _systemctl("stop", *reversed(UNITS), TARGET)


def inactive() -> list[str]:
    """The units that do not run."""
    return [unit for unit in UNITS if _is_active(unit) != "active"]


def await_health(places: Places, seconds: float) -> None:
    """Wait until units run, the exporter is ready and the daemon's sensors tick.

    Raises Failure with what does not work when the time is over.
    """
    until = time.monotonic() + seconds
    while missing := _missing(places):
        if time.monotonic() > until:
            raise Failure(f"after {seconds:.0f} seconds {missing}", _LOOK)
        time.sleep(_PAUSE_SECONDS)


def _missing(places: Places) -> str:
    """What does not work yet, in words; empty when everything does."""
    if dead := inactive():
        return f"{', '.join(dead)} is not running"
    port = int(settings_file.read(places.settings).get("EMAG_SYNC_HEALTH_PORT") or 8000)
    status, _ = _ask(port, "/ready")
    if status != 200:
        return f"the exporter on port {port} is not ready ({status or 'no answer'})"
    _, health = _ask(port, "/health")
    return "" if health.get("sensors_tick") else "the daemon's sensors do not tick"


def _ask(port: int, path: str) -> tuple[int, dict[str, Any]]:
    """Status and answer; 0 when there is none."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    except OSError:
        return 0, {}
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return status, found if isinstance(found, dict) else {}


def _is_active(unit: str) -> str:
    done = subprocess.run(["systemctl", "is-active", unit], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _systemctl(*arguments: str) -> None:
    programs.run(["systemctl", *arguments], remedy=_LOOK)


def _version() -> int:
    found = re.match(r"systemd (\d+)", programs.run(["systemctl", "--version"], remedy="Install systemd"))
    return int(found[1]) if found else 0
