import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from emag_pipeline.errors import Interrupted
from emag_pipeline.local.stop_signals import StopSignals


def _send(*numbers: signal.Signals) -> None:
    for number in numbers:
        os.kill(os.getpid(), number)


@pytest.fixture(autouse=True)
def hangup_is_heard() -> Iterator[None]:
    """As in a terminal: whoever runs the tests by nohup ignores it, and so would what is tested."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0)])
def test_the_first_signal_decides_the_exit_code(number: signal.Signals, code: int) -> None:
    with StopSignals() as signals:
        _send(number, signal.SIGTERM)
    assert (signals.exit_code, signals.name) == (code, number.name)


def test_a_wait_ends_at_a_signal() -> None:
    with StopSignals() as signals:
        threading.Timer(0.2, _send, [signal.SIGTERM]).start()
        with pytest.raises(Interrupted):
            signals.wait(3600)


def test_a_second_signal_means_hurry() -> None:
    with StopSignals() as signals:
        _send(signal.SIGTERM)
        assert not signals.hurried()
        _send(signal.SIGTERM)
        assert signals.hurried()


def test_a_child_heeds_sigint_even_where_the_parent_was_started_ignoring_it() -> None:
    script = """
import signal, subprocess, sys
from emag_pipeline.local.stop_signals import StopSignals
with StopSignals():
    child = subprocess.run([sys.executable, "-c", "import signal; print(signal.getsignal(signal.SIGINT))"],
                           capture_output=True, text=True)
    print(child.stdout)
"""
    shell = f"trap '' INT; exec {sys.executable} -c '{script}'"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)
    assert "default_int_handler" in done.stdout
