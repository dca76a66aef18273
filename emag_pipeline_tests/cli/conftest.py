from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline_tests.embedded.homes import open_directory


@pytest.fixture
def home() -> Iterator[Path]:
    """Where the embedded server's own user may go, too."""
    with open_directory() as directory:
        yield directory / "home"
