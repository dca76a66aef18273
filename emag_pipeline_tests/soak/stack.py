"""The whole pipeline as a user runs it, with short intervals, in a temporary home; and the ways into it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil

from emag_pipeline import embedded, processes, running_up
from emag_pipeline.sandbox import SandboxControl
from emag_pipeline_tests.local.ups import Up, up_in

ACCOUNTS = ("main", "fbe")
#: An account is stale, and in this report not fresh, when its last publish is older than this.
FRESH_SECONDS = 180

_SETTINGS = {
    # the marketplace's own limits, so that the sandbox's count of calls over them means something
    "EMAG_API_REQUESTS_PER_SECOND": "3",
    "EMAG_API_REQUESTS_PER_MINUTE": "180",
    "EMAG_REFRESH_CRON": "* * * * *",
    "EMAG_SYNC_STALE_AFTER_HOURS": str(FRESH_SECONDS / 3600),
    "EMAG_SYNC_MONITOR_INTERVAL": "10",
    "EMAG_SYNC_HEARTBEAT_TIMEOUT": "15",
    "EMAG_SYNC_STUCK_THRESHOLD_HOURS": "0.02",
    "EMAG_SYNC_TIMEOUT_HOURS": "0.1",
}


@dataclass(frozen=True, slots=True)
class Stack:
    """A running `up`."""

    up: Up
    market: SandboxControl
    #: what the webhook was told, in order
    alerts: list[str] = field(default_factory=list)

    @property
    def database_url(self) -> str:
        """The pipeline's database, also after its server was started anew."""
        server = embedded.running(self.up.home)
        return server.address("emag") if server is not None else ""

    def workers(self) -> list[psutil.Process]:
        """The processes of the runs under way."""
        return [one for one in running_up.members(self.up.home) if processes.is_worker(one)]

    def postmaster(self) -> psutil.Process | None:
        """The database server's main process."""
        server = embedded.running(self.up.home)
        return None if server is None else server.postmaster()


@contextmanager
def running_stack() -> Iterator[Stack]:
    """Everything up and both accounts published once; all of it gone at the end."""
    with _webhook() as (hook, alerts), up_in(**_SETTINGS, EMAG_ALERT_WEBHOOK_URL=hook) as up:
        up.wait_for("all accounts are published", seconds=180)
        yield Stack(up, SandboxControl(up.sandbox_url), alerts)


@contextmanager
def _webhook() -> Iterator[tuple[str, list[str]]]:
    """A receiver of alerts: its URL, and the list that they are added to."""
    told: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/alerts", told
        server.shutdown()
