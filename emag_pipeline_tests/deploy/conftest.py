"""One wheel of the checkout for all tests of a process."""

from pathlib import Path

import pytest

from emag_pipeline_tests.deploy.sites import build_wheel


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))
