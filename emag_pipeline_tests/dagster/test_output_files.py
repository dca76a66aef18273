"""What a run prints stands in Dagster's files and where it was printed before, and costs no process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_RUN = """
import os, subprocess, sys, time
from emag_pipeline.runs.output_files import OutputFiles
print("before", flush=True)
with OutputFiles(sys.argv[1]).capture_logs(["run", "compute_logs", "step"]):
    print("by Python")
    os.write(2, b"by a library\\n")
    subprocess.run(["echo", "by a child"])
    {inside}
print("after", flush=True)
"""
_WAITS = "print('waits', flush=True); time.sleep(60)"
_PRINTS_MUCH = "print('x' * 300_000, flush=True)"


@contextmanager
def _run(base: Path, inside: str = "pass") -> Iterator[subprocess.Popen[str]]:
    program = _RUN.format(inside=inside)
    with subprocess.Popen(
        [sys.executable, "-c", program, str(base)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _file(base: Path, kind: str) -> str:
    return (base / "run" / "compute_logs" / f"step.{kind}").read_text(encoding="utf-8")


def test_what_is_printed_stands_in_the_files_and_goes_on_to_whoever_started_the_run(tmp_path: Path) -> None:
    with _run(tmp_path) as process:
        out, err = process.communicate(timeout=60)
    assert sorted(_file(tmp_path, "out").splitlines()) == ["by Python", "by a child"]
    assert _file(tmp_path, "err") == "by a library\n"
    assert sorted(out.splitlines()) == sorted(["before", "by a child", "by Python", "after"])
    assert err == "by a library\n"
    assert (tmp_path / "run" / "compute_logs" / "step.complete").exists()


def test_it_is_copied_while_the_run_works_without_any_other_process(tmp_path: Path) -> None:
    with _run(tmp_path, _WAITS) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(4)]
        assert sorted(lines) == sorted(["before", "by a child", "by Python", "waits"])
        assert psutil.Process(process.pid).children(recursive=True) == []


def test_a_killed_run_leaves_in_its_file_what_it_had_printed(tmp_path: Path) -> None:
    with _run(tmp_path, _WAITS) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != "waits":
            pass
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=60)
    assert "waits" in _file(tmp_path, "out")
    assert not (tmp_path / "run" / "compute_logs" / "step.complete").exists()


def test_a_reader_of_the_copy_that_takes_nothing_does_not_keep_the_run(tmp_path: Path) -> None:
    with _run(tmp_path, _PRINTS_MUCH):
        complete = tmp_path / "run" / "compute_logs" / "step.complete"
        until = time.monotonic() + 60
        while not complete.exists():
            assert time.monotonic() < until, "the run waits for a reader"
            time.sleep(0.1)
    assert len(_file(tmp_path, "out")) > 300_000


def test_a_reader_that_is_gone_does_not_end_the_run(tmp_path: Path) -> None:
    with _run(tmp_path, "print('waits', flush=True); sys.stdin.read(); print('goes on', flush=True)") as process:
        assert process.stdout is not None
        assert process.stdin is not None
        while process.stdout.readline().strip() != "waits":
            pass
        process.stdout.close()
        process.stdin.close()
        process.wait(timeout=60)
    assert "goes on" in _file(tmp_path, "out")
    assert (tmp_path / "run" / "compute_logs" / "step.complete").exists()
