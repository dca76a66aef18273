"""How old what readers see is follows from the oldest page, and what is stale from how long a scan takes."""

from datetime import datetime, timedelta

import pytest

from emag_pipeline.monitoring.health import health_status
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import figures, ledger, publish
from emag_pipeline.sync.account_health import bound_words, is_stale, published_words
from emag_pipeline.sync.status import AccountStatus, account_statuses
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, execute, stage, sync

_HOUR = 3600


def _settings(**environ: str) -> Settings:
    return load_settings({"EMAG_ACCOUNTS": "main", "EMAG_SANDBOX": "1", **environ}, env_file=None)


def _status(database: Database) -> AccountStatus:
    return account_statuses(database, ["main"])[0]


def _interrupted(database: Database) -> None:
    lease = begin(database, timeout_hours=24)
    stage(database, lease, [offer(1)])
    ledger.end(database, lease, "cancelled", error_class="Interrupted", message="m", remedy="r")


def _publish(database: Database, lease: ledger.Lease) -> None:
    figures.begin_audit(database, lease)
    figures.accept(database, lease, figures.figures(database, lease.sync_id).as_proof())
    publish.publish(database, lease)


def test_pages_that_waited_for_hours_are_as_old_when_they_are_published(database: Database) -> None:
    _interrupted(database)
    let_pass(database, timedelta(hours=8))
    lease = begin(database)
    assert lease.resumed
    _publish(database, lease)
    status = _status(database)
    assert status.age_seconds == pytest.approx(8 * _HOUR, abs=60)
    assert status.published_seconds_ago == pytest.approx(0, abs=60)
    assert status.scan_seconds == pytest.approx(0, abs=60)
    assert published_words(status) == "published 0 seconds ago from pages read 8 hours ago"
    assert is_stale(status, _settings())
    (account,) = health_status(database, _settings()).accounts
    assert (account.is_stale, account.age_seconds) == (True, pytest.approx(8 * _HOUR, abs=60))
    told = health_status(database, _settings()).as_dict()
    main = told["accounts"]["main"]
    read_at, at = (datetime.fromisoformat(moment) for moment in (main["oldest_page_at"], told["at"]))
    assert (at - read_at).total_seconds() == pytest.approx(main["age_seconds"], abs=5), "whoever reads it can verify it"


def test_an_approved_scan_is_as_old_as_its_pages(database: Database) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1)])
    ledger.end(database, lease, "failed", error_class="RefusedError", message="m", remedy="r")
    let_pass(database, timedelta(days=2))
    execute(database, "UPDATE emag_offer_syncs SET approved_at = now()")
    _publish(database, begin(database))
    assert _status(database).age_seconds == pytest.approx(48 * _HOUR, abs=60)


def test_a_scan_of_hours_is_not_stale_the_moment_it_is_published(database: Database) -> None:
    lease = begin(database, timeout_hours=24)
    stage(database, lease, [offer(1)])
    let_pass(database, timedelta(hours=7))
    _publish(database, lease)
    status = _status(database)
    assert status.scan_seconds == pytest.approx(7 * _HOUR, abs=60)
    assert not is_stale(status, _settings())
    assert published_words(status) == "published 0 seconds ago"
    assert bound_words(status, _settings()) == "14 hours are allowed (twice its last scan)"
    let_pass(database, timedelta(hours=7, minutes=5))
    assert is_stale(_status(database), _settings())


def test_the_time_between_attempts_is_no_part_of_the_scans_length(database: Database) -> None:
    lease = begin(database, timeout_hours=24)
    stage(database, lease, [offer(1)])
    let_pass(database, timedelta(hours=1))
    ledger.beat(database, lease)
    ledger.end(database, lease, "cancelled", error_class="Interrupted", message="m", remedy="r")
    let_pass(database, timedelta(hours=4))
    resumed = begin(database)
    let_pass(database, timedelta(hours=2))
    _publish(database, resumed)
    assert _status(database).scan_seconds == pytest.approx(3 * _HOUR, abs=60)
    assert _status(database).age_seconds == pytest.approx(7 * _HOUR, abs=60)


def test_a_publish_that_lies_ahead_of_the_clock_is_stale_until_the_next_one(database: Database) -> None:
    """The clock was set back since: nobody knows how old it is."""
    sync(database, [offer(1)])
    let_pass(database, timedelta(days=-1))
    assert is_stale(_status(database), _settings())
    sync(database, [offer(1)])
    assert not is_stale(_status(database), _settings())


def test_anew_is_not_resumed_unless_it_is_the_same_run(database: Database) -> None:
    _interrupted(database)
    anew = begin(database, run_id="r2", anew=True)
    assert not anew.resumed
    stage(database, anew, [offer(1)])
    ledger.end(database, anew, "failed", error_class="ApiUnavailable", message="m", remedy="r")
    assert begin(database, run_id="r2", anew=True).sync_id == anew.sync_id
