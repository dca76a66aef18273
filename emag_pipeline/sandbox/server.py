"""The sandbox as an HTTP server in this process."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from emag_pipeline.sandbox.calls import BASE_PATH
from emag_pipeline.sandbox.client import SandboxFace, Users
from emag_pipeline.sandbox.connections import Hosts, Listener
from emag_pipeline.sandbox.control import Control
from emag_pipeline.sandbox.gateway import Gateway
from emag_pipeline.sandbox.like.likeness import Likeness
from emag_pipeline.sandbox.marketplace import Accounts, Marketplace
from emag_pipeline.sandbox.settings import SandboxSettings

DEFAULT_ACCOUNTS: Mapping[str, int] = {"main": 1200, "fbe": 800}
DEFAULT_SEED = 1


class PortTaken(OSError):
    """The server cannot listen on its address; the message names the address and the remedy."""


class SandboxServer(SandboxFace):
    """A sandbox marketplace. It listens once constructed (port 0 = any free one) and serves once started.

    `hosts`: allowed host names, in addition to loopback and the address `host`.
    `like`: the shapes of a probed account, used instead of the sandbox's own; settings given here take precedence.

    Raises PortTaken if it cannot listen, ValueError for a wrong setting, port or user.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        hosts: Sequence[str] = (),
        seed: int = DEFAULT_SEED,
        accounts: Mapping[str, int] = DEFAULT_ACCOUNTS,
        users: Users | None = None,
        like: Likeness | None = None,
        **settings: Any,
    ) -> None:
        if not 0 <= port <= 65535:
            raise ValueError(f"A port must be a number from 0 (any free one) to 65535, not {port}.")
        chosen = SandboxSettings().changed({**(like.settings if like else {}), **settings})
        marketplace = Marketplace(seed, Accounts(seed, accounts, users or {}), chosen, like)
        self._control = Control(marketplace)
        self._stopping = Event()
        self._thread: Thread | None = None
        self._serving = False
        gateway = Gateway(marketplace, self._stopping)
        try:
            self._listener = Listener(
                (host, port), gateway, self._control.answer, self._stopping, Hosts((host, *hosts))
            )
        except OSError as error:
            raise PortTaken(
                error.errno,
                f"The sandbox cannot listen on {host}:{port} ({error.strerror}); "
                "stop the process that uses it or choose another port",
            ) from error
        self.host = host
        self.port = int(self._listener.server_address[1])

    @property
    def url(self) -> str:
        """The API's base URL."""
        return f"http://{self.host}:{self.port}{BASE_PATH}"

    def start(self) -> Self:
        """Serve in a new thread; returns at once."""
        self._serving = True
        self._thread = Thread(target=self.serve, name=f"sandbox-{self.port}", daemon=True)
        self._thread.start()
        return self

    def serve(self) -> None:
        """Serve in this thread until `stop` is called from another."""
        self._serving = True
        self._listener.serve_forever(poll_interval=0.02)

    def stop(self) -> None:
        """Stop at once: open connections are closed, waits end."""
        if self._serving:  # shutdown would wait forever for a loop that never ran
            self._listener.shutdown()
        self._listener.server_close()
        self._listener.end_connections()
        self._stopping.set()  # last: a call whose wait ended earlier would still be answered
        if self._thread is not None:
            self._thread.join()

    def command(self, verb: str, body: Any) -> dict[str, Any]:
        """Carry out a command of the control API. Raises ValueError if it is invalid."""
        return self._control.do(verb, body)

    def __enter__(self) -> Self:
        """Start serving."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop at once."""
        self.stop()


def run(server: SandboxServer) -> None:
    """Print the server's URL and serve until SIGTERM or SIGINT, then end the process at once with code 0.

    Main thread only.
    """
    sys.setswitchinterval(0.001)  # arrival times stay exact even while another thread renders a page
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, _end)
    sys.stdout.write(f"sandbox: {server.url}\n")
    sys.stdout.flush()
    server.serve()


def _end(number: int, frame: object) -> None:
    """Exit without waiting for open calls: the sandbox stores nothing."""
    sys.stdout.flush()
    os._exit(0)
