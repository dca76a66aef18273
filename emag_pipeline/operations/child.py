"""A program running as a child: in a session of its own, its output in a file."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from emag_pipeline.home import directory
from emag_pipeline.operations import log_files
from emag_pipeline.operations.programs import Program

_TAIL_LINES = 5
_TAIL_BYTES = 8192


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

    def last_lines(self) -> str:
        """The end of its log in one line."""
        with self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").strip().splitlines()
        return " | ".join(_message(line.strip()) for line in lines[-_TAIL_LINES:] if line.strip())


def _message(line: str) -> str:
    """What a line of a log says, without what surrounds it in JSON."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    return str(entry.get("message") or entry.get("event") or line) if isinstance(entry, dict) else line


def fresh_logs(home: Path) -> Path:
    """The directory of the programs' logs; those of the start before are set aside."""
    logs = directory(home, "logs")
    for log in logs.glob("*.log"):
        log_files.set_aside(log)
    return logs
