import signal
import threading
import time

import pytest

from emag_pipeline.errors import DatabaseUnavailable, Interrupted, Rerun, SettingsError
from emag_pipeline.store.engine import Database
from emag_pipeline.store.transaction import Transaction
from emag_pipeline_tests.sync.syncs import rows


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


@pytest.mark.parametrize(
    ("parameter", "named"),
    [
        ("sslmode=bogus", "sslmode"), ("port=99999", "port number"), ("gssencmode=bogus", "gssencmode"),
        ("channel_binding=bogus", "channel_binding"), ("ssl=bogus", "connection option"),
    ],
)  # fmt: skip
def test_a_parameter_that_libpq_refuses_is_a_wrong_setting_and_no_database_that_is_away(
    database: Database, parameter: str, named: str
) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    wrong = Database(f"{url}&{parameter}")
    with pytest.raises(SettingsError, match=f"the database URL has a wrong {named}") as raised, wrong.transaction():
        pass
    assert "bogus" not in str(raised.value)
    assert "Start it" not in raised.value.remedy


def test_a_closed_database_leaves_no_thread(database_url: str) -> None:
    """A sensor opens one a tick, in a process that lives for weeks."""
    before = threading.active_count()
    for _ in range(5):
        opened = Database(database_url)
        with opened.transaction() as tx:
            tx.run("SELECT 1")
        opened.close()
    until = time.monotonic() + 10
    while threading.active_count() > before:
        assert time.monotonic() < until, [thread.name for thread in threading.enumerate()]
        time.sleep(0.05)


def test_a_password_is_in_no_repr() -> None:
    for url in ("postgresql+psycopg2://u:geheim@h/d", "postgresql+psycopg2://u@h/d?password=geheim"):
        opened = Database(url)
        assert "geheim" not in repr(opened)
        opened.close()


def test_a_statement_sees_what_was_committed_before_it_whatever_the_databases_default(database: Database) -> None:
    with database.transaction() as tx:
        assert tx.run("SHOW transaction_isolation").scalar_one() == "read committed"
        name = tx.run("SELECT current_database()").scalar_one()
        tx.run(f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = 'repeatable read'")
    again = Database(database.engine.url.render_as_string(hide_password=False))
    try:
        with again.transaction() as tx:
            assert tx.run("SHOW default_transaction_isolation").scalar_one() == "repeatable read"
            assert tx.run("SHOW transaction_isolation").scalar_one() == "read committed"
    finally:
        again.close()


def test_joins_of_many_rows_may_work_in_memory_until_the_end_of_the_transaction(database: Database) -> None:
    def allowed(tx: Transaction) -> str:
        return str(tx.run("SELECT current_setting('work_mem')").scalar_one())

    with database.transaction() as tx:
        usual = allowed(tx)
        tx.expect(2_000)
        assert allowed(tx) == usual
        tx.expect(200_000)
        assert allowed(tx) == "24MB"
        tx.expect(2_000)  # never less than it has
        assert allowed(tx) == "24MB"
        tx.expect(5_000_000)
        assert allowed(tx) == "128MB"
    with database.transaction() as tx:
        assert allowed(tx) == usual
