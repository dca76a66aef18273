"""A marketplace in its own process: a sandbox of one account, which can be stopped and restarted."""

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from emag_pipeline.drills.runs import ACCOUNT
from emag_pipeline.errors import TransientError
from emag_pipeline.sandbox import SandboxControl

SEED = 1


class Market:
    """Listens on a free port once constructed, and on the same port after each `start_again`.

    A limit of 0 means no limit. Raises TransientError if the process does not start.
    """

    def __init__(self, offers: int, log: Path, *, per_second: float = 0, per_minute: float = 0) -> None:
        self._options = (
            *("--seed", str(SEED), "--offers", f"{ACCOUNT}={offers}", "--parameters", "top"),
            *("--requests-per-second", str(per_second), "--requests-per-minute", str(per_minute)),
        )
        self._log = log
        self._process, self.url = self._start(0)

    @property
    def control(self) -> SandboxControl:
        """The client for faults, edits and truth."""
        return SandboxControl(self.url)

    def stop(self) -> None:
        """Kill the process: connections break, new ones are refused, edits and faults are lost."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        """It listens already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Vanish."""
        self.stop()

    def start_again(self) -> None:
        """Restart with the original catalogue."""
        port = int(self.url.rpartition(":")[2].partition("/")[0])
        self._process, self.url = self._start(port)

    def _start(self, port: int) -> "tuple[subprocess.Popen[str], str]":
        with self._log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "emag_pipeline.sandbox", "--port", str(port), *self._options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                start_new_session=True,
            )
        with process.stdout as pipe:  # type: ignore[union-attr]  # stdout is a pipe
            said = pipe.readline()
        if not said.startswith("sandbox: "):
            process.kill()
            process.wait()
            raise TransientError("the drill's sandbox did not start", remedy=f"Its log is {self._log}")
        return process, said.removeprefix("sandbox: ").strip()
