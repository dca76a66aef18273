"""What the fork server of `runs.code_server` loads before the first run: the definitions. Its forks are runs.

Where they cannot be loaded nothing is said: the code server says it, and starts no runs.
"""

import contextlib
import importlib
import os
from pathlib import Path

from emag_pipeline.processes import RUN

with contextlib.suppress(Exception):
    importlib.import_module("emag_pipeline.definitions")  # by name: they stand above this module


def _name() -> None:
    with contextlib.suppress(OSError):  # a system without it
        Path("/proc/self/comm").write_text(RUN)


os.register_at_fork(after_in_child=_name)
