"""Write a report so that a reader finds the old one or the new one, never half of one.

It is for its owner alone (mode 0600): prices, stock and margins to competitors are business secrets, and who may read
them is decided by whoever copies or serves the file.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from emag_pipeline.errors import PermanentError


def write(file: Path, text: str) -> None:
    """Write or replace the file, making its directory. Raises PermanentError where that is not possible."""
    unfinished: Path | None = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # mode 0600
        unfinished = Path(name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
        unfinished.replace(file)
    except OSError as error:
        raise PermanentError(
            "the report cannot be written",
            where=str(file),
            why=error.strerror or str(error),
            remedy="Free the path, give the process the right to write there, or name another file",
        ) from error
    finally:
        if unfinished is not None:
            with suppress(FileNotFoundError):
                unfinished.unlink()
