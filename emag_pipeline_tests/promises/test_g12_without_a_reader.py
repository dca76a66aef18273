"""G12 where nobody reads what a run says: it ends in time all the same, and its code tells how."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest

from emag_pipeline.errors import AccessRefused
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.promises.workers import environment_of

pytestmark = pytest.mark.slow

_INTERRUPTED = 130
#: Hears no signal: its handlers, as Dagster's, only take note.
_DEAF = """
import signal, sys, time
from emag_pipeline.process_end import end_in_time
signal.signal(signal.SIGTERM, lambda *_: None)
signal.signal(signal.SIGINT, lambda *_: None)
end_in_time()
sys.stderr.write("ready")
sys.stderr.flush()
time.sleep(600)
"""


@contextmanager
def _deaf(stdout: int) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", _DEAF], stdout=stdout, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        assert process.stderr.read(5) == b"ready"
        yield process
    finally:
        process.kill()
        process.communicate()


def _ends(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    told = time.monotonic()
    process.send_signal(number)
    assert process.wait(60) == _INTERRUPTED
    assert time.monotonic() - told > 4, "it was not given its time"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):
            os.close(end)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_g12_a_run_that_does_not_hear_says_so_and_ends(number: signal.Signals, pipe: tuple[int, int]) -> None:
    with _deaf(pipe[1]) as process:
        _ends(process, number)
    assert os.read(pipe[0], 1000).startswith(b"interrupted, and it did not end in time; `emag-pipeline status` shows")


def test_g12_it_ends_where_its_reader_is_gone(pipe: tuple[int, int]) -> None:
    with _deaf(pipe[1]) as process:
        os.close(pipe[0])
        _ends(process, signal.SIGTERM)


def test_g12_it_ends_where_its_reader_has_stopped_reading(pipe: tuple[int, int]) -> None:
    with _deaf(pipe[1]) as process:
        os.set_blocking(pipe[1], False)
        with suppress(BlockingIOError):
            while True:
                os.write(pipe[1], bytes(1024))
        os.set_blocking(pipe[1], True)
        _ends(process, signal.SIGTERM)


def test_g12_another_signal_does_not_end_it(pipe: tuple[int, int]) -> None:
    with _deaf(pipe[1]) as process:
        process.send_signal(signal.SIGCONT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(6)


def test_g12_the_code_of_a_failed_run_is_the_same_where_its_reader_is_gone(
    market: SandboxServer, database_url: str, dagster_url: str, tmp_path: Path, pipe: tuple[int, int]
) -> None:
    market.add_fault("wrong_credentials", account="main")
    environment = environment_of(tmp_path, market.url, database_url, dagster_url)
    os.close(pipe[0])
    command = [sys.executable, "-m", "emag_pipeline.local.run", "main", "11111111-1111-4111-8111-111111111111"]
    done = subprocess.run(command, env=environment, cwd="/", stdout=pipe[1], stderr=subprocess.PIPE, timeout=250)
    assert done.returncode == AccessRefused.exit_code, done.stderr.decode()[-2000:]
    assert b"BrokenPipeError" not in done.stderr


def _ended(environment: dict[str, str], program: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """A run of `main` within a program that signals itself at some moment, when it has ended."""
    command = [sys.executable, "-c", program, "main", *arguments]
    return subprocess.run(command, env=environment, cwd="/", capture_output=True, timeout=400)


_BETWEEN = """
import os, signal, sys
from emag_pipeline.dagster_runs import executing
from emag_pipeline.local import run
of = {"step_failures": executing, "exit_code": run, "refresh_reference_if_old": run}[sys.argv[3]]
ask = getattr(of, sys.argv.pop())
def signalled(*given):
    os.kill(os.getpid(), signal.SIGTERM)
    return ask(*given)
setattr(of, ask.__name__, signalled)
sys.exit(run.main())
"""

_UNKNOWN = "interrupted by SIGTERM; `emag-pipeline status` shows its state, the next sync continues"


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("step_failures", _UNKNOWN),
        ("exit_code", _UNKNOWN),
        ("refresh_reference_if_old", "not all of its marts and checks were computed: it was interrupted by SIGTERM"),
    ],
)
def test_g12_a_signal_after_dagster_gave_its_handlers_back_is_told_as_what_it_is(
    moment: str, said: str, market: SandboxServer, database_url: str, dagster_url: str, tmp_path: Path
) -> None:
    environment = environment_of(tmp_path, market.url, database_url, dagster_url)
    done = _ended(environment, _BETWEEN, str(uuid4()), moment)
    assert done.returncode == _INTERRUPTED, done.stderr.decode()[-2000:]
    assert done.stdout.decode() == said


_AT_THE_END = """
import os, signal, sys
import dagster as dg
from emag_pipeline.local import run
end = dg.DagsterInstance.__exit__
def ended(self, *given):
    os.kill(os.getpid(), signal.SIGTERM)
    return end(self, *given)
dg.DagsterInstance.__exit__ = ended
sys.exit(run.main())
"""


def test_g12_a_signal_when_all_is_done_does_not_unsay_it(
    market: SandboxServer, database_url: str, dagster_url: str, tmp_path: Path
) -> None:
    environment = environment_of(tmp_path, market.url, database_url, dagster_url)
    done = _ended(environment, _AT_THE_END, str(uuid4()))
    assert (done.returncode, done.stdout.decode()) == (0, ""), done.stderr.decode()[-2000:]


_ONCE_NOTED = """
import os, signal, sys
import dagster as dg
from emag_pipeline.local import run
note = dg.DagsterInstance.create_run_for_job
def noted(self, *given, **options):
    made = note(self, *given, **options)
    os.kill(os.getpid(), signal.SIGTERM)
    return made
dg.DagsterInstance.create_run_for_job = noted
sys.exit(run.main())
"""


def test_g12_a_signal_before_a_noted_runs_first_step_leaves_no_run_that_others_wait_for(
    market: SandboxServer, database_url: str, dagster_url: str, tmp_path: Path
) -> None:
    environment = environment_of(tmp_path, market.url, database_url, dagster_url)
    run_id = str(uuid4())
    done = _ended(environment, _ONCE_NOTED, run_id)
    assert done.returncode == _INTERRUPTED, done.stderr.decode()[-2000:]
    with closing(Database(dagster_url, "public")) as dagster, dagster.transaction() as tx:
        status = tx.run("SELECT status FROM runs WHERE run_id = :id", id=run_id).scalar_one()
    assert status == "CANCELED"
