"""What `up` says, to whoever still listens."""

import contextlib
import os

from rich.console import Console


class Narrator(Console):
    """A console that falls silent when its terminal was closed or its pipe broke: nobody hears any more, but
    everything must still be stopped (rich would end the process)."""

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
