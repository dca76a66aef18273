from datetime import UTC, datetime, timedelta

import pytest

from emag_pipeline.monitoring import incidents, outbox
from emag_pipeline.monitoring.incidents import IncidentFinding
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.monitoring.receiver import SECRET, Receiver
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import sync


def _fail(database: Database, subject: str = "main") -> None:
    incidents.note(database, IncidentFinding(subject, "failing", "it said no", "Log in", "AccessRefused", "r1"))


def _recover(database: Database) -> None:
    incidents.close(database, "main", well_at=datetime.now(UTC) + timedelta(seconds=1))


def test_an_incident_is_told_once_and_its_end_once(database: Database, settings: Settings, receiver: Receiver) -> None:
    sync(database, [offer(1), offer(2)])
    _fail(database)
    for _ in range(2):
        outbox.deliver(database, settings)
    _recover(database)
    for _ in range(2):
        outbox.deliver(database, settings)
    assert [document["state"] for document in receiver.taken] == ["open", "closed"]
    assert receiver.taken[1]["text"].endswith(": 2 offers published")


def test_what_was_not_taken_is_told_at_the_next_call_and_its_url_is_not_logged(
    database: Database, settings: Settings, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    _fail(database)
    _fail(database, "fbe")
    receiver.behaviour = "refuses"
    outbox.deliver(database, settings)
    assert receiver.asked == 1, "a webhook that refuses one message is left alone until the next call"
    receiver.behaviour = "takes"
    outbox.deliver(database, settings)
    assert [document["subject"] for document in receiver.taken] == ["main", "fbe"]
    assert "the answer was HTTP 500" in caplog.text
    assert "alert_not_sent" in caplog.text
    assert SECRET not in caplog.text


def test_what_is_over_before_it_could_be_told_is_not_told_at_all(
    database: Database, settings: Settings, receiver: Receiver
) -> None:
    _fail(database)
    receiver.behaviour = "hangs up"
    outbox.deliver(database, settings)
    _recover(database)
    receiver.behaviour = "takes"
    outbox.deliver(database, settings)
    assert receiver.taken == []


def test_without_a_webhook_nothing_is_lost(database: Database, settings: Settings, receiver: Receiver) -> None:
    _fail(database)
    outbox.deliver(database, load_settings({}, env_file=None))
    outbox.deliver(database, settings)
    assert [document["state"] for document in receiver.taken] == ["open"]
