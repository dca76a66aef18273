import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def home() -> Iterator[Path]:
    """Where the embedded server's own user may go, too."""
    with tempfile.TemporaryDirectory(prefix="emag-up-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory) / "home"
