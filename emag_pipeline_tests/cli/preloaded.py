"""Commands forked from a process that has loaded the program: loading it is most of what a short command costs.

Each is a process of its own, with its environment, directory, streams, signals and exit code. Only its modules were
loaded before, and /proc shows the arguments and the environment of the process that it was forked from. So this
proves nothing about what a command loads: house/test_loading.py does, and every test that starts `python -m`.
"""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

#: What commands load when they run.
_LATER = ("admin.backup", "admin.restore", "dagster_runs.past_runs", "definitions", "report", "retention.prune")
_MOST_BYTES = 2**17


class _Loaded:
    """The process that has loaded the program. It ends when this one does."""

    def __init__(self) -> None:
        self._door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, "-m", __name__, str(number)]
            variables = {**os.environ, "PYTHONWARNINGS": "default"}
            self._process = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, pass_fds=[number])

    def fork(self, request: dict[str, Any], descriptors: Sequence[int]) -> None:
        """Ask for a command with these descriptors: its output, its errors, and a socket for its id and exit code."""
        socket.send_fds(self._door, [json.dumps(request).encode()], descriptors)


_loaded = cache(_Loaded)


def run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    directory: Path,
    seconds: float,
    constants: Mapping[str, float],
    into: Path | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, as subprocess.run does, with other values of these constants of the program's modules.

    Its output is returned, unless it goes into a file. Raises TimeoutExpired.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    output, output_of_theirs = os.pipe()
    errors, errors_of_theirs = os.pipe()
    request = {
        "arguments": arguments,
        "environment": dict(environment),
        "directory": str(directory),
        "constants": dict(constants),
    }
    if into is not None:
        os.close(output_of_theirs)
        output_of_theirs = os.open(into, os.O_WRONLY)
    _loaded().fork(request, [output_of_theirs, errors_of_theirs, theirs.fileno()])
    for descriptor in (output_of_theirs, errors_of_theirs, theirs.detach()):
        os.close(descriptor)
    with ours, ThreadPoolExecutor(2) as pool:
        texts = [pool.submit(_text, descriptor) for descriptor in (output, errors)]
        process = int(ours.recv(100))  # the first one waits until the program is loaded
        ours.settimeout(seconds)
        try:
            code = int(ours.recv(100))
            stdout, stderr = (text.result(seconds) for text in texts)
        except TimeoutError as error:
            os.kill(process, signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(arguments), seconds) from error
    return subprocess.CompletedProcess(list(arguments), code, stdout, stderr)


def _text(descriptor: int) -> str:
    with open(descriptor) as file:
        return file.read()


def _serve(door: socket.socket) -> None:
    """Fork a command for each request, until nobody can ask any more."""
    from emag_pipeline.cli import main  # before its module of that name is loaded, which hides it
    from emag_pipeline.cli.main import application

    for name in _LATER:
        import_module(f"emag_pipeline.{name}")
    application()
    gc.freeze()  # else a collection in a child copies all that was loaded
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, descriptors, _, _ = socket.recv_fds(door, _MOST_BYTES, 3)
        if not request:
            return
        if os.fork() == 0:
            door.close()
            _attend(main, json.loads(request), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _attend(main: Callable[[], None], request: dict[str, Any], output: int, errors: int, answers: int) -> NoReturn:
    """Fork the command, and tell its id and its exit code, as its parent."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    process = os.fork()
    if process == 0:
        os.close(answers)
        _take(request, output, errors)
        main()
    os.close(output)
    os.close(errors)
    os.write(answers, b"%d" % process)
    _, status = os.waitpid(process, 0)
    os.write(answers, b"%d" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _take(request: dict[str, Any], output: int, errors: int) -> None:
    """Take the streams, the environment, the directory, the arguments and the constants of the command."""
    for descriptor, number in ((output, 1), (errors, 2)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    # as Python opens them when it starts, which looks at what they are
    sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["directory"])
    sys.argv[1:] = request["arguments"]
    for name, value in request["constants"].items():
        module, _, constant = name.rpartition(".")
        assert isinstance(getattr(import_module(module), constant), int | float), name
        setattr(import_module(module), constant, value)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        _serve(asked)
