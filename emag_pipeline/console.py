"""Messages and output of commands for people."""

import contextlib
import os
import sys
from contextlib import suppress
from typing import Any

from rich.console import Console

# Messages in addition to the output. They are lost without an error if no terminal or reader is left.


def tell(text: str) -> None:
    """Print a message, prefixed with the program's name."""
    write_line(f"emag-pipeline: {text}")


def write_line(text: str) -> None:
    """Write to standard error if it is open: a shell's `2>&-` closes it."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{text}\n")


#: Width without a terminal: programs search for whole lines and names, so nothing is wrapped or cut.
UNBOUNDED = 1_000_000


def console(**options: Any) -> Console:
    """The console for tables and texts of a command: as wide as the terminal; without one, as wide as the content."""
    shown = Console(highlight=False, markup=False, emoji=False, **options)
    if not shown.is_terminal:
        shown.width = UNBOUNDED
    return shown


class Narrator(Console):
    """A console that stops printing when its terminal was closed or its pipe broke. The process continues, because it
    must still stop everything (rich would end it)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if not self.is_terminal:
            self.width = UNBOUNDED

    def say(self, text: str) -> None:
        """Print a line unchanged: names in brackets are not markup, long lines are not wrapped."""
        try:
            self.print(text, markup=False, highlight=False, soft_wrap=True)
        except OSError:
            self.fall_silent()

    def on_broken_pipe(self) -> None:
        """Rich's hook for a broken pipe."""
        self.fall_silent()

    def fall_silent(self) -> None:
        """Stop printing, and prevent errors when Python flushes the stream at exit."""
        self.quiet = True
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), self.file.fileno())
