"""The sandbox as a process of its own, its start and its end."""

import ast
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import emag_pipeline.sandbox
from emag_pipeline.sandbox import PortTaken, SandboxControl, SandboxServer

PROGRAM = [sys.executable, "-m", "emag_pipeline.sandbox"]


@contextmanager
def program(*arguments: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], SandboxControl]]:
    command = [*PROGRAM, "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **variables})
    try:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("sandbox: ").strip()
        yield process, SandboxControl(url)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_serves_until_it_is_told_to_end(number: signal.Signals) -> None:
    with program() as (process, control):
        assert (control.count("main"), control.count("fbe")) == (1200, 800)
        process.send_signal(number)
        assert process.wait(timeout=20) == 0


def test_the_program_takes_accounts_seed_and_limits() -> None:
    arguments = ("--offers", "main=5", "depo=7", "--seed", "9", "--requests-per-second", "0", "--latency-seconds", "2")
    with program(*arguments) as (_, control):
        settings = control.settings()
        assert (control.count("main"), control.count("depo"), settings["seed"]) == (5, 7, 9)
        assert (settings["requests_per_second"], settings["latency_seconds"]) == (0, 2)


def test_the_program_takes_the_shapes_of_a_file_and_options_win(tmp_path: Path) -> None:
    file = tmp_path / "probe.json"
    fields = {"novelty": {"types": {"text": 1}}}
    told = {"format": 1, "offers": {"rows": 1, "fields": fields}, "parameters": {"obeyed": "data"}}
    file.write_text(json.dumps(told | {"order": {"ids_descend": True}}))
    with program("--like", str(file), "--parameters", "both") as (_, control):
        settings = control.settings()
        assert (settings["parameters"], settings["order"]) == ("both", "id_desc")
        assert control.truth_page("main", 1)[0].keys() == {"id", "novelty"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--like", "/none.json"), "/none.json: it cannot be read (No such file or directory). Give a file that"),
        (("--offers", "main"), "'main' is not of the form ACCOUNT=NUMBER, e.g. main=1200"),
        (("--port", "70000"), "A port must be a number from 0 (any free one) to 65535, not 70000."),
        (("--requests-per-second", "-1"), "requests_per_second must be a number from 0, not -1.0."),
    ],
)
def test_wrong_arguments_end_the_program_with_2_and_words(arguments: tuple[str, ...], words: str) -> None:
    ended = subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_taken_port_names_the_address_and_the_remedy(sandbox: SandboxServer) -> None:
    with pytest.raises(PortTaken) as caught:
        SandboxServer(sandbox.port)
    assert caught.value.strerror == (
        f"The sandbox cannot listen on 127.0.0.1:{sandbox.port} (Address already in use); "
        "stop the process that uses it or choose another port"
    )


def test_a_taken_port_ends_the_program_with_2(sandbox: SandboxServer) -> None:
    arguments = [*PROGRAM, "--port", str(sandbox.port)]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"The sandbox cannot listen on 127.0.0.1:{sandbox.port}")


def test_a_port_is_free_again_after_the_stop() -> None:
    first = SandboxServer(0).start()
    first.stop()
    second = SandboxServer(first.port)
    second.stop()
    assert second.port == first.port


def test_stopping_twice_or_before_the_start_does_no_harm() -> None:
    sandbox = SandboxServer(0)
    sandbox.stop()
    sandbox.stop()


def test_the_sandbox_imports_nothing_but_the_standard_library_and_itself() -> None:
    allowed = sys.stdlib_module_names | {"emag_pipeline.sandbox"}
    folder = Path(emag_pipeline.sandbox.__file__).parent
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                own = name.startswith("emag_pipeline.sandbox")
                assert own or name.partition(".")[0] in allowed, (path, name)
