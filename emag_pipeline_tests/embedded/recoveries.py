"""Servers that recover for as long as a test wants."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from emag_pipeline import embedded
from emag_pipeline.embedded import places, postmaster
from emag_pipeline_tests.local.ups import wait_until

PATIENCE_SECONDS = 120


def give(file: Path) -> None:
    """Make the owner of the data the file's owner."""
    who = places.identity()
    if who:
        os.chown(file, who["user"], who["group"])


def _writes_the_log(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):  # a backend that has just ended
        return "walwriter" in " ".join(process.cmdline())
    return False


class Recovery:
    """A server that replays changes after a crash until `finish`: PostgreSQL asks this for each file of them.

    `of_all`: every process of it was killed, and it is down. Else one of them was, and it starts anew by itself.
    """

    def __init__(self, home: Path, *, of_all: bool = True) -> None:
        self.home = home
        server = embedded.start(home)
        server.ensure_database("emag")
        self.data = server.data
        self._door = self.data / "finished"
        self._hold()
        main = server.postmaster()
        if of_all:
            killed = [main, *main.children(recursive=True)]
        else:
            main.send_signal(signal.SIGHUP)  # it reads its settings
            killed = [one for one in main.children() if _writes_the_log(one)]
            assert killed
        for process in killed:
            with suppress(psutil.NoSuchProcess):  # some end because others did
                process.kill()
        psutil.wait_procs(killed, timeout=PATIENCE_SECONDS)

    def begun(self) -> psutil.Process:
        """The server, once it recovers."""
        wait_until(lambda: postmaster.starting(self.data) is not None, PATIENCE_SECONDS)
        process = postmaster.starting(self.data)
        assert process is not None
        return process

    def finish(self) -> None:
        """Let it come to its end."""
        self._door.touch()
        give(self._door)

    def _hold(self) -> None:
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.write("restore_command = 'until [ -e finished ]; do sleep 0.1; done; false'\n")
        (self.data / "recovery.signal").touch()
        give(self.data / "recovery.signal")

    def end(self) -> None:
        """Leave nothing running."""
        process = postmaster.process_of(self.data)
        if process is not None:
            process.kill()
            postmaster.await_remains(self.data)
