"""A command as a process of its own: how long it takes, what it and PostgreSQL use, and the most memory it holds."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.surroundings import (
    Fresh,
    ServerCpu,
    cpu_seconds,
    high_water_mebibytes,
    own_environment,
    scan_seconds,
)
from emag_pipeline.sandbox import SandboxControl

_LOOK_SECONDS = 0.1
#: By this a process is the run that `emag-pipeline sync` starts.
_RUN = "emag_pipeline.local.run"


@dataclass(frozen=True, slots=True)
class Used:
    """What a command used. CPU is in seconds, of the command's own process and of the run that it started.

    `around_seconds` are those before the scan's first call and after its last one.
    """

    seconds: float
    around_seconds: float
    calls: int
    command_cpu: float
    run_cpu: float
    server: ServerCpu
    wal_bytes: int
    peak_mebibytes: float

    @property
    def process_cpu(self) -> float:
        """Of our processes."""
        return self.command_cpu + self.run_cpu

    @property
    def cpu(self) -> float:
        """Of all: our processes, PostgreSQL's sessions and its background."""
        return self.process_cpu + self.server.sessions + self.server.background

    def told(self) -> str:
        """The CPU-seconds one by one."""
        parts = [f"run {self.run_cpu:.1f}"] if self.run_cpu else []
        return " + ".join(
            [
                *parts,
                f"command {self.command_cpu:.1f}",
                f"PostgreSQL {self.server.sessions:.1f}",
                f"its background {self.server.background:.1f}",
            ]
        )


def used_by(command: Sequence[str], fresh: Fresh, market: str, environment: Mapping[str, str]) -> Used:
    """Run a command to its end, which has to be a good one. Raises RuntimeError with its last words otherwise."""
    SandboxControl(market).reset_stats()
    log = fresh.home / "command.log"
    server, wal = fresh.cpu(), fresh.wal()
    began = time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, cwd=fresh.home, stdout=output, stderr=output)
        run_cpu, peak, usage = _watched(process)
        seconds = time.monotonic() - began
    if process.returncode:
        raise RuntimeError(f"{command[-1]} ended with {process.returncode}: {log.read_text()[-2000:]}")
    _await_sessions()
    scanning, calls = scan_seconds(market)
    return Used(
        seconds=seconds,
        around_seconds=seconds - scanning,
        calls=calls,
        command_cpu=usage - run_cpu,
        run_cpu=run_cpu,
        server=fresh.cpu().since(server),
        wal_bytes=fresh.wal() - wal,
        peak_mebibytes=peak,
    )


def sync(fresh: Fresh, market: str, given: Mapping[str, str], account: str = "main") -> Used:
    """`emag-pipeline sync` of an account, with these variables."""
    return command(["sync", "--account", account], fresh, market, given)


def command(words: Sequence[str], fresh: Fresh, market: str, given: Mapping[str, str]) -> Used:
    """`emag-pipeline` with these words and variables, in the directory of the database."""
    environment = own_environment() | dict(given) | _places(fresh)
    return used_by([sys.executable, "-m", "emag_pipeline", *words], fresh, market, environment)


def _places(fresh: Fresh) -> dict[str, str]:
    return {"EMAG_HOME": str(fresh.home / "emag"), "DATABASE_SYNC_URL": fresh.url, "EMAG_ACCOUNTS": "main,warm"}


def _watched(process: "subprocess.Popen[bytes]") -> tuple[float, float, float]:
    """CPU and highest memory of the run (of the command, if it starts none), and the CPU of all until they ended."""
    run: int | None = None
    cpu = peak = 0.0
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return cpu, peak, usage.ru_utime + usage.ru_stime
        run = run or _run_of(process.pid)
        peak = max(peak, high_water_mebibytes(run or process.pid))
        if run is not None:
            cpu = max(cpu, cpu_seconds(run))
        time.sleep(_LOOK_SECONDS)


def _run_of(parent: int) -> int | None:
    for thread in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in thread.read_text().split():
            if _RUN in _command_of(child):
                return int(child)
    return None


def _command_of(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _await_sessions() -> None:
    """Sessions whose client is gone end within moments, and count from then on."""
    time.sleep(0.3)
