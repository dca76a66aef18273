"""Ways to make a program worse from outside, so that a benchmark is seen to come out bad."""

import os
from pathlib import Path

from benchmarks.surroundings import own_environment

_PROGRAM = """import sys, time
if "emag_pipeline.local.run" in " ".join(sys.orig_argv):
    until = time.process_time() + {cpu}
    while time.process_time() < until:
        pass
    kept = bytearray({mebibytes} << 20)
    kept[:: 4096] = b"x" * len(kept[:: 4096])
    time.sleep({seconds})
"""


def burdened(
    environment: dict[str, str], home: Path, *, cpu: float = 0, seconds: float = 0, mebibytes: int = 0
) -> dict[str, str]:
    """The environment of a command whose run burns so many CPU-seconds, sleeps and holds memory before it begins."""
    directory = home / "burden"
    directory.mkdir(exist_ok=True)
    program = _PROGRAM.format(cpu=cpu, seconds=seconds, mebibytes=mebibytes)
    (directory / "sitecustomize.py").write_text(program)
    return {**environment, "PYTHONPATH": os.pathsep.join([str(directory), own_environment()["PYTHONPATH"]])}
