"""A real `up` to look at in a browser."""

from collections.abc import Iterator

import pytest

from emag_pipeline_tests.local.ups import Up, up_in


@pytest.fixture(scope="module")
def published() -> Iterator[Up]:
    """An `up` that has published both accounts of the sandbox."""
    with up_in() as up:
        up.wait_for("all accounts are published")
        yield up
