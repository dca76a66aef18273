"""What `up` says, to whoever still listens."""

import contextlib
import os

from rich.console import Console


class Narrator:
    """Prints lines. A terminal that was closed or a pipe that broke must not keep anything from being stopped."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, text: str) -> None:
        """Print a line, as it is: names in brackets are no markup."""
        try:
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)
        except OSError:
            self._fall_silent()

    def _fall_silent(self) -> None:
        with contextlib.suppress(OSError):
            self.console.file.close()
        self.console.file = open(os.devnull, "w")  # noqa: PTH123, SIM115 - until the process ends
