"""Settings with a webhook that a test can look into."""

from collections.abc import Iterator

import pytest

from emag_pipeline.settings import Settings, load_settings
from emag_pipeline_tests.monitoring.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def settings(receiver: Receiver) -> Settings:
    given = {"EMAG_ALERT_WEBHOOK_URL": receiver.url.get_secret_value(), "EMAG_UI_PORT": "3456"}
    return load_settings(given, env_file=None)
