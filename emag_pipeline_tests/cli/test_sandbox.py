import signal
import socket
import subprocess
import sys
from pathlib import Path

import requests

from emag_pipeline_tests.cli.commands import emag_pipeline, environment


def test_it_serves_the_accounts_that_it_is_given(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "emag_pipeline", "sandbox", "--port", "0", "--offers", "shop=3"]
    with subprocess.Popen(command, env=environment(tmp_path), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("sandbox: ").strip()
        answer = requests.post(
            f"{url}/product_offer/count", auth=("shop@sandbox.example", "sandbox"), json={"data": {}}, timeout=10
        ).json()
        process.send_signal(signal.SIGINT)
    assert (answer["isError"], str(answer["results"]["noOfItems"])) == (False, "3")
    assert process.returncode == 0


def test_a_taken_port_is_2_and_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        done = emag_pipeline(tmp_path, "sandbox", "--port", port)
    assert done.returncode == 2
    assert f"port {port} is taken" in done.stderr


def test_offers_without_a_number_are_2(tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "sandbox", "--offers", "main")
    assert done.returncode == 2
    assert "ACCOUNT=NUMBER" in done.stderr


def test_a_bad_file_of_shapes_is_2_and_named(tmp_path: Path) -> None:
    (tmp_path / "probe.json").write_text('{"format": 1, "offers": null}')
    done = emag_pipeline(tmp_path, "sandbox", "--like", "probe.json")
    assert done.returncode == 2
    assert done.stderr == (
        "emag-pipeline: probe.json: it describes no offers, because the probe was refused or the account has none. "
        "Give a file that `emag-pipeline probe` wrote, or correct it (docs/how-to/probe.md).\n"
    )
