"""Where Dagster finds its configuration and keeps its files: `EMAG_HOME/dagster`, never the source tree.

The two YAML files stand in the project's root, where Dagster's own tools look for them, and are copied at each
start. A wheel carries them beside this module.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from emag_pipeline.errors import PermanentError

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

    Raises PermanentError when the installation lacks the files or the directory cannot be written.
    """
    dagster = DagsterHome(home.resolve() / "dagster")
    try:
        for directory in (dagster.root, dagster.run_logs, dagster.artifacts):
            directory.mkdir(parents=True, exist_ok=True)
        for name in ("dagster.yaml", "workspace.yaml"):
            (dagster.root / name).write_bytes(_source(name).read_bytes())
    except OSError as error:
        raise PermanentError(
            "Dagster's home cannot be written",
            where=str(dagster.root),
            why=error.strerror or str(error),
            remedy="Correct its rights, or set EMAG_HOME to a directory of yours",
        ) from error
    return dagster


def _source(name: str) -> Path:
    for directory in _SOURCES:
        if (directory / name).is_file():
            return directory / name
    raise PermanentError(
        f"the installation has no {name}", where="emag_pipeline", remedy="Install the package again, or use a checkout"
    )
