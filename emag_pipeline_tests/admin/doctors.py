"""`emag-pipeline doctor` without its process: a machine of its own, by environment variables."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emag_pipeline.admin.doctor import Diagnosis, Finding, diagnose
from emag_pipeline.running_up import claimed
from emag_pipeline_tests.local.ups import free_ports

_PORTS = ("EMAG_UI_PORT", "EMAG_SANDBOX_PORT", "EMAG_SYNC_METRICS_PORT", "EMAG_SYNC_HEALTH_PORT")


def diagnosed(home: Path, **variables: str) -> Diagnosis:
    """What the doctor finds in a home where nothing runs, on ports that nobody has."""
    ports = dict(zip(_PORTS, map(str, free_ports(4)), strict=True))
    has_credentials = any("_API_USERNAME" in name or "_API_PASSWORD" in name for name in variables)
    sandbox = {} if has_credentials else {"EMAG_SANDBOX": "1"}
    return diagnose({"EMAG_HOME": str(home), **ports, **sandbox, **variables}, env_file=home / ".env")


def found(diagnosis: Diagnosis, subject: str, text: str = "") -> Finding:
    """The one finding about a subject that says so."""
    fitting = [one for one in diagnosis.findings if one.subject == subject and text in one.what]
    assert len(fitting) == 1, "\n".join(map(str, diagnosis.findings))
    return fitting[0]


@contextmanager
def up_since_yesterday(home: Path) -> Iterator[None]:
    """As if this process were an `up` of the home that runs for long."""
    with claimed(home, "http://127.0.0.1:1"):
        note = home / "up.lock"
        note.write_text(json.dumps({**json.loads(note.read_text()), "started_at": "2026-01-01T00:00:00Z"}))
        yield
