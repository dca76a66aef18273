"""Writes files atomically."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emag_pipeline.errors import SettingsError, of_os_error


@contextmanager
def written_at_once(file: Path, force: bool) -> Iterator[Path]:
    """A private temporary file next to `file`, which replaces it at the end and is removed after a failure.

    Raises SettingsError for a file that exists (without `force`), cannot be written, or is not a regular one, because
    replacing it would destroy e.g. a device; TransientError if the disk is full.
    """
    if file.is_dir():
        raise SettingsError(f"{file} is a directory", remedy="Give the name of a file in it")
    if file.exists() and not file.is_file():
        raise SettingsError(f"{file} is a device or a pipe", remedy="Give the name of a file")
    if file.exists() and not force:
        raise SettingsError(f"{file} exists", remedy="Give another name, or --force to overwrite it")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # mode 0600
    except OSError as error:
        remedy = "Give a file in a directory of yours"
        raise of_os_error(error, f"{file} cannot be written", remedy=remedy, wrong=True) from error
    os.close(descriptor)
    unfinished = Path(name)
    try:
        yield unfinished
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
