"""Retries and alerts under a real daemon: what dies is repeated, what cannot be fixed so is not, both are told once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from emag_pipeline.store.engine import Database
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.local.daemons import Daemon, published_daemon
from emag_pipeline_tests.local.ups import Up, wait_until
from emag_pipeline_tests.monitoring.receiver import SECRET, Receiver
from emag_pipeline_tests.promises.watching import newest, wait_for, wait_for_pages
from emag_pipeline_tests.store.ageing import published_ago

pytestmark = pytest.mark.services


@dataclass(frozen=True, slots=True)
class Story:
    """What there was to see. `first` was killed, `second` is its repetition, which was refused access."""

    up: Up
    told: list[dict[str, Any]]
    first: str
    second: str
    after_failure: dict[str, str]
    a_while_later: dict[str, str]
    waits_for_a_person: bool
    synced: int


def _make_stale(database: Database) -> None:
    published_ago(database, timedelta(hours=7))


def _play(daemon: Daemon, receiver: Receiver) -> Story:
    up, database, market = daemon.up, daemon.database, daemon.market
    market.advance(changes=100, kind="price", account="main")
    market.add_fault("hang", seconds=30, pages=[9, 10, 11, 12, 13])
    _make_stale(database)
    wait_for(database, 60, status="running")
    wait_for_pages(database, 8)
    first = newest(database).dagster_run_id
    market.clear_faults()
    market.add_fault("wrong_credentials", account="main")
    daemon.worker().kill()
    wait_until(lambda: any(one["kind"] == "failing" for one in receiver.taken), 90, lambda: str(daemon.runs()))
    second, after_failure = newest(database).dagster_run_id, daemon.runs()
    with pytest.raises(AssertionError):  # three ticks of each sensor
        wait_until(lambda: daemon.runs() != after_failure, 10)
    a_while_later = daemon.runs()
    waits = "AccessRefused" in emag_pipeline(up.home, "status", "--json").stdout
    market.clear_faults()
    synced = emag_pipeline(up.home, "sync", EMAG_ACCOUNTS="main", EMAG_SANDBOX_PORT=str(up.sandbox_port)).returncode
    wait_until(lambda: any(one["state"] == "closed" for one in receiver.taken), 60, lambda: str(receiver.taken))
    return Story(up, list(receiver.taken), first, second, after_failure, a_while_later, waits, synced)


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    with (
        Receiver() as receiver,
        published_daemon(
            EMAG_SYNC_MONITOR_INTERVAL="3",
            EMAG_SYNC_HEARTBEAT_TIMEOUT="5",
            EMAG_ALERT_WEBHOOK_URL=receiver.url.get_secret_value(),
        ) as daemon,
    ):
        yield _play(daemon, receiver)


def test_a_killed_run_is_repeated_and_its_repetitions_permanent_error_is_not(story: Story) -> None:
    assert story.first != story.second
    assert (story.after_failure[story.first], story.after_failure[story.second]) == ("FAILURE", "FAILURE")
    assert story.a_while_later == story.after_failure


def test_it_is_told_once_with_the_run_that_failed_last(story: Story) -> None:
    (alert,) = [one for one in story.told if one["kind"] == "failing"]
    assert alert["error_class"] == "AccessRefused"
    assert alert["run_url"] == f"{story.up.ui}/runs/{story.second}"


def test_it_stays_listed_until_a_run_that_a_person_started_has_published(story: Story) -> None:
    assert story.waits_for_a_person
    assert story.synced == 0
    (end,) = [one for one in story.told if one["state"] == "closed"]
    assert end["text"].startswith("main recovered after ")
    assert end["text"].endswith(": 1,200 offers published")


def test_the_webhooks_url_is_in_no_file_and_no_output(story: Story) -> None:
    written = [
        path for path in story.up.home.rglob("*") if path.is_file() and SECRET in path.read_text(errors="replace")
    ]
    assert written == []
    assert SECRET not in story.up.said()
