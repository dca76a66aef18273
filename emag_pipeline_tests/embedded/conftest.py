"""Servers that recover, each in a home of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline.embedded import server
from emag_pipeline_tests.embedded import homes
from emag_pipeline_tests.embedded.recoveries import Recovery


@pytest.fixture
def recovery_home() -> Iterator[Path]:
    """A home whose server is down, and another user may run it."""
    with homes.open_directory() as home:
        yield homes.migrated(home)


@pytest.fixture
def recovery(recovery_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recovery]:
    """A server that is down and recovers when it is started."""
    monkeypatch.setattr(server, "_TELL_SECONDS", 1.0)  # for a test that is not long
    recovery = Recovery(recovery_home)
    yield recovery
    recovery.finish()
    recovery.end()


@pytest.fixture
def restart(recovery_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recovery]:
    """A server of which one process was killed: it recovers by itself."""
    monkeypatch.setattr(server, "_TELL_SECONDS", 1.0)
    recovery = Recovery(recovery_home, of_all=False)
    yield recovery
    recovery.finish()
    recovery.end()
