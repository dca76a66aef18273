"""A real `up` to look at in a browser."""

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline_tests.local.ups import Up, start


@pytest.fixture(scope="module")
def published() -> Iterator[Up]:
    """An `up` that has published both accounts of the sandbox."""
    with tempfile.TemporaryDirectory(prefix="emag-ui-") as directory:
        up = start(Path(directory) / "home")
        try:
            up.wait_for("all accounts are published")
            yield up
        finally:
            up.end(signal.SIGTERM)
