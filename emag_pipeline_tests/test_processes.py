"""A process counts as gone only where that is certain."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from emag_pipeline.processes import ProcessMark, own_mark
from emag_pipeline_tests.local.ups import wait_until

_TELL = """
import dataclasses, json, time
from emag_pipeline.processes import own_mark
print(json.dumps(dataclasses.asdict(own_mark())), flush=True)
time.sleep(60)
"""
#: A container's view: numbers and /proc of its own, the machine's name and boot id.
_CONTAINER = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child")


def _start(*prefix: str) -> "tuple[subprocess.Popen[str], ProcessMark]":
    process = subprocess.Popen([*prefix, sys.executable, "-c", _TELL], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, ProcessMark(**json.loads(process.stdout.readline()))


@pytest.fixture
def other() -> "Iterator[tuple[subprocess.Popen[str], ProcessMark]]":
    process, mark = _start()
    yield process, mark
    process.kill()
    process.wait()


def test_a_process_that_lives_is_not_gone(other: "tuple[subprocess.Popen[str], ProcessMark]") -> None:
    assert not own_mark().is_gone
    assert not other[1].is_gone


def test_a_frozen_process_is_not_gone(other: "tuple[subprocess.Popen[str], ProcessMark]") -> None:
    other[0].send_signal(signal.SIGSTOP)
    assert not other[1].is_gone


def test_a_process_that_was_killed_is_gone_before_its_parent_has_asked(
    other: "tuple[subprocess.Popen[str], ProcessMark]",
) -> None:
    process, mark = other
    process.send_signal(signal.SIGKILL)
    wait_until(lambda: mark.is_gone, 5)
    process.wait()
    assert mark.is_gone


def test_a_number_that_was_given_again_is_another_process() -> None:
    mark = own_mark()
    assert mark.start_ticks is not None
    assert replace(mark, start_ticks=mark.start_ticks - 1).is_gone


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"boot_id": "7d3c3a0e-0000-0000-0000-000000000000"},
        {"namespaces": "pid:[1] time:[2]"},
        {"boot_id": None},
        {"namespaces": None},
        {"start_ticks": None},
    ],
)
def test_what_cannot_be_compared_proves_nothing(
    elsewhere: dict[str, str | None], other: "tuple[subprocess.Popen[str], ProcessMark]"
) -> None:
    process, mark = other
    process.kill()
    process.wait()
    assert mark.is_gone
    assert not replace(mark, **elsewhere).is_gone  # type: ignore[arg-type]


@pytest.mark.skipif(shutil.which("unshare") is None, reason="util-linux is not installed")
def test_a_container_of_the_same_host_name_is_not_judged_from_outside() -> None:
    process, mark = _start(*_CONTAINER)
    try:
        assert mark.host == own_mark().host
        assert mark.boot_id == own_mark().boot_id
        assert mark.process_id < 10
        assert not mark.is_gone
    finally:
        process.kill()
        process.wait()
    assert not mark.is_gone
