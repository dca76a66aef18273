"""Where Dagster finds its configuration and keeps its files: `EMAG_HOME/dagster`, never the source tree.

The two YAML files stand in the project's root, where Dagster's own tools look for them, and are copied at each
start. A wheel carries them beside this module.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from emag_pipeline.errors import PermanentError
from emag_pipeline.file_errors import of_os_error
from emag_pipeline.home import directory

_HERE = Path(__file__).parent
#: in a wheel, in a checkout
_SOURCES = (_HERE / "dagster_instance", _HERE.parent.parent)


@dataclass(frozen=True, slots=True)
class DagsterHome:
    """The directories that Dagster's processes are told of by their environment."""

    root: Path

    @property
    def workspace(self) -> Path:
        """The file that names the code location, for `-w`."""
        return self.root / "workspace.yaml"

    def sharing(self, socket: Path) -> Path:
        """A workspace file, written anew, for programs that share the code server which listens on a Unix socket."""
        location = {"grpc_server": {"socket": str(socket), "location_name": "emag_pipeline"}}
        workspace = self.root / "workspace-of-up.yaml"
        workspace.write_text(json.dumps({"load_from": [location]}, indent=2), encoding="utf-8")  # JSON is YAML
        return workspace

    @property
    def run_logs(self) -> Path:
        """What runs print, a directory a run."""
        return self.root / "run-logs"

    @property
    def artifacts(self) -> Path:
        """Files of Dagster's default storage; the pipeline's assets leave none."""
        return self.root / "artifacts"


def prepare(home: Path) -> DagsterHome:
    """Make the directories and copy the configuration there.

    Raises SettingsError for a home that cannot be used, PermanentError when the installation lacks the files or a
    directory cannot be written, TransientError when the disk is full.
    """
    dagster = DagsterHome(directory(home, "dagster"))
    try:
        for one in (dagster.run_logs, dagster.artifacts):
            one.mkdir(mode=0o700, exist_ok=True)
        for name in ("dagster.yaml", "workspace.yaml"):
            (dagster.root / name).write_bytes(_source(name).read_bytes())
    except OSError as error:
        remedy = "Correct its rights, or set EMAG_HOME to a directory of yours"
        raise of_os_error(error, "Dagster's home cannot be written", where=str(dagster.root), remedy=remedy) from error
    return dagster


def _source(name: str) -> Path:
    for place in _SOURCES:
        if (place / name).is_file():
            return place / name
    raise PermanentError(
        f"the installation has no {name}", where="emag_pipeline", remedy="Install the package again, or use a checkout"
    )
