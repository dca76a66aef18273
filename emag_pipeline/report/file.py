"""Write a report so that a reader finds the old one or the new one, never half of one.

It is for its owner alone (mode 0600): prices, stock and margins to competitors are business secrets, and who may read
them is decided by whoever copies or serves the file.
"""

from pathlib import Path

from emag_pipeline.file_errors import of_os_error
from emag_pipeline.whole_file import written_at_once


def write(file: Path, text: str) -> None:
    """Write or replace the file. Raises SettingsError or PermanentError where that is not possible, TransientError when
    the disk is full.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with written_at_once(file, force=True) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    except OSError as error:
        remedy = "Free the path, give the process the right to write there, or name another file"
        raise of_os_error(error, "the report cannot be written", where=str(file), remedy=remedy) from error
