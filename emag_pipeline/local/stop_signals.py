"""SIGINT, SIGTERM and SIGHUP as a state that a loop can check.

Handlers only record the signal, so that no step of starting or stopping is interrupted halfway. Installing them also
gives every child default dispositions: an ignored SIGINT (background job of a script) would be inherited, and Dagster
copies it to SIGTERM and could never be stopped (seen with `dagster dev` 1.13).
"""

import signal
import time
from types import FrameType, TracebackType
from typing import Any, Self

from emag_pipeline.errors import Interrupted
from emag_pipeline.store import calls

_SLICE_SECONDS = 0.1


class StopSignals:
    """Use as a context manager, in the main thread. A second signal asks to hurry.

    A signal aborts a long database call (`store.calls`), which then raises Interrupted like `wait`.
    """

    def __init__(self) -> None:
        self.received: list[signal.Signals] = []
        self._before: dict[signal.Signals, Any] = {}

    @property
    def exit_code(self) -> int:
        """130 after Ctrl-C, 0 after SIGTERM or when the terminal was closed."""
        return Interrupted.exit_code if signal.SIGINT in self.received[:1] else 0

    @property
    def name(self) -> str:
        """The first signal's name."""
        return self.received[0].name if self.received else ""

    def hurried(self) -> bool:
        """Whether a second signal arrived."""
        return len(self.received) > 1

    def check(self) -> None:
        """Raise Interrupted if a signal has arrived."""
        if self.received:
            raise Interrupted

    def wait(self, seconds: float) -> None:
        """Sleep. Raises Interrupted as soon as a signal arrives."""
        until = time.monotonic() + seconds
        self.check()
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE_SECONDS))
            self.check()

    def __enter__(self) -> Self:
        """Install the handlers; SIGHUP stays ignored under nohup."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        calls.HEEDED.append(self.check)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give them back."""
        calls.HEEDED.remove(self.check)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.received.append(signal.Signals(number))
