"""SIGINT, SIGTERM and SIGHUP as a state that a loop can check.

Handlers only record the signal, so that no step of starting or stopping is left half done. Installing them also gives
every child default dispositions: an ignored SIGINT (a background job of a script) would be inherited, and Dagster
copies that to SIGTERM and can never be stopped (seen with `dagster dev` 1.13).
"""

import signal
import time
from types import FrameType, TracebackType
from typing import Any, Self

from emag_pipeline.errors import Interrupted
from emag_pipeline.store import calls

_SLICE_SECONDS = 0.1


class StopSignals:
    """Use as a context manager, in the main thread. The second signal means: hurry.

    A long database call (`store.calls`) is aborted: it raises Interrupted then, as `wait` does.
    """

    def __init__(self) -> None:
        self.received: list[signal.Signals] = []
        self._before: dict[signal.Signals, Any] = {}

    @property
    def exit_code(self) -> int:
        """130 after Ctrl-C, 0 when told to end by SIGTERM or by the terminal's end."""
        return Interrupted.exit_code if signal.SIGINT in self.received[:1] else 0

    @property
    def name(self) -> str:
        """The first signal's name."""
        return self.received[0].name if self.received else ""

    def hurried(self) -> bool:
        """Whether a further signal came."""
        return len(self.received) > 1

    def check(self) -> None:
        """Raise Interrupted when a signal has come."""
        if self.received:
            raise Interrupted

    def wait(self, seconds: float) -> None:
        """Sleep. Raises Interrupted as soon as a signal comes."""
        until = time.monotonic() + seconds
        self.check()
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE_SECONDS))
            self.check()

    def __enter__(self) -> Self:
        """Take the signals over; SIGHUP stays ignored under nohup."""
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
