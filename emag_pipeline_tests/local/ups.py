"""`emag-pipeline up` as a process: started with free ports and a home of its own, watched through what it prints."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import requests

from emag_pipeline import processes, running_up
from emag_pipeline_tests.cli.commands import environment

_SENSORS = """{ sensorsOrError(repositorySelector:
    {repositoryName: "__repository__", repositoryLocationName: "emag_pipeline"})
    { ... on Sensors { results { name sensorState { id } } } } }"""
_STOP = "mutation Stop($id: String) { stopSensor(id: $id) { __typename } }"


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@dataclass(frozen=True, slots=True)
class Up:
    """One `up`, its home and its ports."""

    home: Path
    ui_port: int
    sandbox_port: int
    metrics_port: int
    health_port: int
    output: Path
    process: "subprocess.Popen[bytes]"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}/api-3"

    @property
    def ui(self) -> str:
        return f"http://127.0.0.1:{self.ui_port}"

    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, text: str, seconds: float = 120) -> None:
        wait_until(lambda: text in self.said() or self.process.poll() is not None, seconds, self.said)
        assert text in self.said(), self.said()

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)

    def processes(self, *words: str) -> list[psutil.Process]:
        """The processes that this `up` has brought into the world, in whose command line all the words stand."""
        return [one for one in running_up.members(self.home) if all(word in " ".join(_command(one)) for word in words)]

    def graphql(self, query: str, **variables: Any) -> Any:
        return requests.post(f"{self.ui}/graphql", json={"query": query, "variables": variables}, timeout=30).json()[
            "data"
        ]

    def switch_off(self, sensor: str) -> None:
        """As a person does in the UI."""
        sensors = self.graphql(_SENSORS)["sensorsOrError"]["results"]
        (state,) = [one["sensorState"]["id"] for one in sensors if one["name"] == sensor]
        assert self.graphql(_STOP, id=state)["stopSensor"]["__typename"] == "StopSensorMutationResult"


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has just ended
        return []


def start(home: Path, **variables: str) -> Up:
    """Start an `up`; its rate is one that tests can wait for."""
    ui, sandbox, metrics, health = free_ports(4)
    given = {
        "EMAG_UI_PORT": str(ui),
        "EMAG_SANDBOX_PORT": str(sandbox),
        "EMAG_SYNC_METRICS_PORT": str(metrics),
        "EMAG_SYNC_HEALTH_PORT": str(health),
        "EMAG_API_REQUESTS_PER_SECOND": "50",
        "EMAG_API_REQUESTS_PER_MINUTE": "3000",
        "EMAG_SYNC_PROGRESS_INTERVAL": "0.5",
        **variables,
    }
    home.mkdir(exist_ok=True)
    if home.parent.stat().st_uid == os.geteuid():
        home.parent.chmod(home.parent.stat().st_mode | 0o011)  # so that PostgreSQL's user reaches the home, for root
    output = home.with_name(f"{home.name}-{ui}.txt")
    command = [sys.executable, "-m", "emag_pipeline", "up"]
    with output.open("wb") as file:
        process = subprocess.Popen(command, env=environment(home, **given), cwd=home, stdout=file, stderr=file)
    ports = (f"EMAG_{name}_PORT" for name in ("UI", "SANDBOX", "SYNC_METRICS", "SYNC_HEALTH"))
    return Up(home, *(int(given[port]) for port in ports), output, process)


@contextmanager
def up_in(home: Path | None = None, **variables: str) -> Iterator[Up]:
    """An `up` in that home, or in one of its own; ended with everything that it started."""
    with ExitStack() as stack:
        place = home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emag-up-"))) / "home"
        up = start(place, **variables)
        try:
            yield up
        finally:
            try:
                up.process.terminate()
                up.process.wait(60)
            finally:
                processes.kill(running_up.members(place))


def processes_of(home: Path) -> list[str]:
    """The command lines of all living processes that were told of the home, in their environment or arguments."""
    found = []
    for process in psutil.process_iter():
        try:
            texts = [*process.environ().values(), *process.cmdline()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(home) in text for text in texts):
            found.append(json.dumps(process.cmdline()))
    return found


def wait_until(condition: Callable[[], bool], seconds: float, explain: Callable[[], str] = lambda: "") -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, explain()
        time.sleep(0.1)
