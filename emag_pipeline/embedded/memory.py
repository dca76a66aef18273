"""How much memory the embedded server takes for its buffers: by what the machine, or the container, has."""

from contextlib import suppress
from pathlib import Path

import psutil

_CGROUPS = Path("/sys/fs/cgroup")
_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")
#: What PostgreSQL has unless told otherwise, and what a catalogue of a million offers makes good use of.
_LEAST, _MOST = 128, 1024
#: It shares the machine with runs and Dagster; alone it would take a quarter (manual: shared_buffers).
_SHARE = 8


def buffer_megabytes(groups: Path = _CGROUPS) -> int:
    """Megabytes for `shared_buffers`: an eighth of what there is, within bounds; taken when filled.

    A scan that does not fit into them is written out and read again while it is audited and published: with 128 MB a
    publish of 20,000 offers took twice as long as with 1 GB (benchmarks.load, measured on 27 November 2026).
    """
    here = [psutil.virtual_memory().total]
    for name in _LIMITS:
        with suppress(OSError, ValueError):  # no such limit: the file is missing, or says `max`
            here.append(int((groups / name).read_text(encoding="ascii")))
    return max(_LEAST, min(_MOST, min(here) // _SHARE // 2**20))
