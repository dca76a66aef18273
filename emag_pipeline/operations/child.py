"""A program running as a child: in a session of its own, its output in a file."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import psutil

from emag_pipeline.operations.programs import Program
from emag_pipeline.processes import is_stopped


class Child:
    """Starts at construction. Ctrl-C in the terminal reaches the supervisor only, which then decides the order."""

    def __init__(self, program: Program, environment: Mapping[str, str], logs: Path) -> None:
        self.program = program
        self.log = logs / f"{program.name}.log"
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                program.command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, which is also its session's."""
        return self.process.pid

    def died(self) -> str | None:
        """How it ended, in words; None while it lives."""
        code = self.process.poll()
        if code is None:
            return None
        return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"

    @property
    def is_stopped(self) -> bool:
        """Whether it lives and does nothing, by SIGSTOP or a debugger."""
        try:
            return is_stopped(psutil.Process(self.pid))
        except psutil.NoSuchProcess:
            return False
