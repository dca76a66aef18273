"""What a run prints: into files that Dagster's UI shows, and on to the program that started it, without helpers.

Dagster's own manager starts four processes a run for this: for each of the two outputs one that copies the file and
one that ends the copier should the run be killed. With 32 accounts these are 128 processes and a gigabyte. Here the
output is written to the file by the run itself, whatever becomes of it, and a thread copies what was added.
"""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from typing import Any, TextIO

from dagster._core.execution.compute_logs import redirect_to_file
from dagster._core.storage.compute_log_manager import CapturedLogContext, ComputeIOType
from dagster._core.storage.local_compute_log_manager import IO_TYPE_EXTENSION, LocalComputeLogManager
from dagster._serdes import ConfigurableClassData
from dagster._utils import ensure_file, touch_file

_PAUSE_SECONDS = 0.2
#: A reader of the copy that takes nothing keeps no run from ending: the file has it all.
_LAST_SECONDS = 0.5
_CHUNK_BYTES = 65536


class OutputFiles(LocalComputeLogManager):
    """Dagster's local files, written and copied within the run's process."""

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "OutputFiles":
        """The manager that dagster.yaml asks for; `config_value` has its `base_dir`."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Iterator[CapturedLogContext]:
        """Write stdout and stderr of this process to files of that key, and go on saying it where it was said."""
        with ExitStack() as stack:
            for stream, kind in ((sys.stdout, ComputeIOType.STDOUT), (sys.stderr, ComputeIOType.STDERR)):
                path = self.get_captured_local_path(log_key, IO_TYPE_EXTENSION[kind])
                stack.enter_context(_written_and_copied(stream, path))
            yield CapturedLogContext(log_key)
        touch_file(self.complete_artifact_path(log_key))  # type: ignore[no-untyped-call]


@contextmanager
def _written_and_copied(stream: TextIO, path: str) -> Iterator[None]:
    ensure_file(path)
    with _copied(path, _outside(stream)), redirect_to_file(stream, path):
        yield


def _outside(stream: TextIO) -> int | None:
    """Where the stream goes now; None where it goes nowhere: closed, or a test's own."""
    try:
        return os.dup(stream.fileno())
    except (OSError, ValueError):
        return None


@contextmanager
def _copied(path: str, outside: int | None) -> Iterator[None]:
    """Copy what is added to the file, until the end and what stands there then."""
    if outside is None:
        yield
        return
    ended = threading.Event()
    file = FileIO(path)  # the thread closes it: it may outlive this
    file.seek(0, os.SEEK_END)
    copier = threading.Thread(target=_copy, args=(file, outside, ended), name="output", daemon=True)
    copier.start()
    try:
        yield
    finally:
        ended.set()
        copier.join(_LAST_SECONDS)


def _copy(file: FileIO, outside: int, ended: threading.Event) -> None:
    with file, suppress(OSError):  # nobody reads there any more: the file has it
        is_last = False
        while not is_last:
            is_last = ended.wait(_PAUSE_SECONDS)
            while chunk := file.read(_CHUNK_BYTES):
                _write(outside, chunk)
    os.close(outside)


def _write(outside: int, chunk: bytes) -> None:
    left = memoryview(chunk)
    while left:
        left = left[os.write(outside, left) :]
