"""What commands say to people, to whoever still listens."""

import contextlib
import os
import sys
from contextlib import suppress
from typing import Any

from rich.console import Console

# What is said to a person beside the output. Where nobody hears it, nothing is wrong.


def tell(text: str) -> None:
    """Say a sentence, of which it is said who says it."""
    write_line(f"emag-pipeline: {text}")


def write_line(text: str) -> None:
    """Write to the standard error, where there is one: a shell's `2>&-` closes it."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{text}\n")


#: Of what is no terminal: programs look for whole lines and whole names, so nothing is wrapped or cut.
UNBOUNDED = 1_000_000


def console(**options: Any) -> Console:
    """Where a command shows tables and texts: as wide as the terminal, and where there is none as what is shown."""
    shown = Console(highlight=False, markup=False, emoji=False, **options)
    if not shown.is_terminal:
        shown.width = UNBOUNDED
    return shown


class Narrator(Console):
    """A console that falls silent when its terminal was closed or its pipe broke: nobody hears any more, but
    everything must still be stopped (rich would end the process)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if not self.is_terminal:
            self.width = UNBOUNDED

    def say(self, text: str) -> None:
        """Print a line as it is: names in brackets are no markup, long lines are not broken."""
        try:
            self.print(text, markup=False, highlight=False, soft_wrap=True)
        except OSError:
            self.fall_silent()

    def on_broken_pipe(self) -> None:
        """Rich's hook for a reader that left."""
        self.fall_silent()

    def fall_silent(self) -> None:
        """Print nothing more, and let Python's own flush at the end meet no error either."""
        self.quiet = True
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), self.file.fileno())
