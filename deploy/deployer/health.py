"""Does what was started work? Units run, the exporter is ready, the daemon's sensors tick."""

import json
import time
import urllib.error
import urllib.request
from typing import Any

from deployer import services, settings_file
from deployer.failure import Failure
from deployer.places import Places

_PAUSE_SECONDS = 1.0


def wait(places: Places, seconds: float) -> None:
    """Wait until all is well. Raises Failure with what is not, when the time is over."""
    until = time.monotonic() + seconds
    while missing := _missing(places):
        if time.monotonic() > until:
            raise Failure(f"after {seconds:.0f} seconds {missing}", "Look at `journalctl -u 'emag-pipeline-*' -n 50`")
        time.sleep(_PAUSE_SECONDS)


def _missing(places: Places) -> str:
    """What is not yet as it should be, in words; empty when all is."""
    dead = services.inactive()
    if dead:
        return f"{', '.join(dead)} is not running"
    given = settings_file.read(places.settings)
    port = settings_file.port(given, "EMAG_SYNC_HEALTH_PORT", 8000)
    status, _ = _ask(port, "/ready")
    if status != 200:
        return f"the exporter on port {port} is not ready ({status or 'no answer'})"
    _, health = _ask(port, "/health")
    return "" if health.get("sensors_tick") else "the daemon's sensors do not tick"


def _ask(port: int, path: str) -> tuple[int, dict[str, Any]]:
    """Status and answer; 0 when there is none."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, _json(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, _json(error.read())
    except OSError:
        return 0, {}


def _json(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
