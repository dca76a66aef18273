import signal
import time

import pytest

from emag_pipeline.db.engine import Database
from emag_pipeline.errors import DatabaseUnavailable, Interrupted, Rerun
from emag_pipeline_tests.db.syncs import rows


def _interrupt(signum: int, frame: object) -> None:
    raise Interrupted


def test_a_signal_ends_a_long_statement_on_the_server(database: Database) -> None:
    previous = signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    began = time.monotonic()
    try:
        with pytest.raises(Interrupted), database.transaction() as tx:
            tx.run("SELECT pg_sleep(30)")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert time.monotonic() - began < 5
    sleeping = """SELECT count(*) FROM pg_stat_activity
                  WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_' || 'sleep%'"""
    assert rows(database, sleeping)[0].count == 0


def test_a_statement_that_takes_too_long_is_ended(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="took too long"), database.transaction(timeout_seconds=0.2) as tx:
        tx.run("SELECT pg_sleep(30)")


def test_settings_stay_within_their_transaction(database: Database) -> None:
    with database.transaction(timeout_seconds=5):
        pass
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "0"


def test_a_database_that_is_away_is_worth_a_rerun_and_names_no_password() -> None:
    away = Database("postgresql+psycopg2://someone:s3cret@127.0.0.1:9/emag")
    with pytest.raises(DatabaseUnavailable) as raised, away.transaction():
        pass
    assert raised.value.rerun is Rerun.AT_ONCE
    assert "s3cret" not in f"{raised.value} {away!r}"
