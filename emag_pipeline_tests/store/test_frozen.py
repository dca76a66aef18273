"""A server that says nothing any more: no call waits without bound, and a signal ends it at every moment."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from emag_pipeline.errors import DatabaseUnavailable, Interrupted
from emag_pipeline.store import calls, engine
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.store.door import behind, opened
from emag_pipeline_tests.store.freezer import MOMENTS, Freezer, Moment
from emag_pipeline_tests.sync.syncs import rows

_PLACES = pytest.mark.parametrize("is_everything", [False, True], ids=["one_connection", "everything"])
_MOMENTS = pytest.mark.parametrize("moment", MOMENTS)
#: More than the kernel takes from a client that nobody listens to.
_MANY_ROWS = "".join(f"{number}\t{'x' * 1000}\n" for number in range(1000))
_PATIENCE_SECONDS = 30.0
#: The one who waits has begun to.
_WAITING_SECONDS = 0.1


@pytest.fixture
def freezer(database_url: str) -> Iterator[Freezer]:
    with opened(Freezer, database_url) as freezer:
        yield freezer


@pytest.fixture
def through(freezer: Freezer, database: Database, database_url: str) -> Iterator[Database]:
    """The database behind the freezer; the table `numbers` is there."""
    with database.transaction() as tx:
        tx.run("CREATE TABLE numbers (number integer, text text)")
    with behind(freezer, database_url) as through:
        yield through


def _work(database: Database, moment: Moment) -> None:
    with database.transaction(timeout_seconds=1) as tx:
        if moment == "statement":
            tx.run("SELECT pg_sleep(0)")
        if moment == "copy":
            tx.copy_in("COPY numbers FROM STDIN", _MANY_ROWS)
        tx.run("INSERT INTO numbers VALUES (1)")
        if moment == "rollback":
            raise ValueError


def _fail(database: Database, moment: Moment) -> None:
    with pytest.raises(DatabaseUnavailable):
        _work(database, moment)


def _warmed(database: Database, moment: Moment) -> None:
    """A connection waits in the pool, unless the next one is to be made."""
    if moment != "connect":
        with database.transaction() as tx:
            tx.run("SELECT 2")


@contextmanager
def _alarm(freezer: Freezer, handler: Callable[[int, object], None]) -> Iterator[list[float]]:
    """Send a signal once the server has frozen, while somebody waits for it; yields when that was."""
    sent: list[float] = []

    def send() -> None:
        if freezer.has_frozen.wait(_PATIENCE_SECONDS):
            time.sleep(_WAITING_SECONDS)
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGALRM)

    previous = signal.signal(signal.SIGALRM, handler)
    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield sent
    finally:
        thread.join()
        signal.signal(signal.SIGALRM, previous)


def _interrupt(signum: int, frame: object) -> None:
    raise Interrupted


@_PLACES
@_MOMENTS
def test_a_signal_is_heard_at_every_moment(
    moment: Moment, is_everything: bool, freezer: Freezer, through: Database, database: Database
) -> None:
    _warmed(through, moment)
    freezer.arm(moment, is_everything=is_everything)
    with _alarm(freezer, _interrupt) as sent, pytest.raises(Interrupted):
        _work(through, moment)
    assert freezer.has_frozen.is_set()
    assert time.monotonic() - sent[0] < 2.5
    written = rows(database, "SELECT count(*) FROM numbers")[0][0]
    assert written == (1 if moment == "commit" else 0)


@pytest.mark.slow
@_PLACES
@_MOMENTS
def test_no_call_waits_without_bound(
    moment: Moment, is_everything: bool, freezer: Freezer, through: Database, database: Database
) -> None:
    _warmed(through, moment)
    freezer.arm(moment, is_everything=is_everything)
    began = time.monotonic()
    told: BaseException | None = None
    try:
        _work(through, moment)
    except (DatabaseUnavailable, ValueError) as error:
        told = error
    assert freezer.has_frozen.is_set()
    assert time.monotonic() - began < 30
    written = rows(database, "SELECT count(*) FROM numbers")[0][0]
    if moment == "rollback":
        assert isinstance(told, ValueError)
    elif not is_everything and moment in ("ping", "commit"):
        assert told is None, "another connection was to be had"
        assert written == 1
    else:
        assert isinstance(told, DatabaseUnavailable)
    freezer.thaw()
    _work(through, "begin")


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["ping", "statement", "copy", "commit"])
def test_nor_does_one_in_another_thread(moment: Moment, freezer: Freezer, through: Database) -> None:
    _warmed(through, moment)
    freezer.arm(moment, is_everything=True)
    told: list[BaseException] = []

    def work() -> None:
        try:
            _work(through, moment)
        except DatabaseUnavailable as error:
            told.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(40)
    assert not thread.is_alive()
    assert len(told) == 1


@pytest.mark.slow
@pytest.mark.parametrize("sent", [b"SET datestyle", b"pg_catalog.version"])
def test_nor_do_the_questions_of_the_driver_on_a_new_connection(
    sent: bytes, freezer: Freezer, through: Database, database: Database
) -> None:
    """Of psycopg2, where the database's format of dates is not its own; and of SQLAlchemy, to the first connection."""
    with database.transaction() as tx:
        name = tx.run("SELECT current_database()").scalar_one()
        tx.run(f"ALTER DATABASE \"{name}\" SET datestyle = 'SQL, DMY'")
    freezer.arm("statement", is_everything=True, sent=sent)
    thread = threading.Thread(target=_fail, args=(through, "begin"), daemon=True)
    thread.start()
    assert freezer.has_frozen.wait(30)
    thread.join(40)
    assert not thread.is_alive()


def test_a_wait_for_a_connection_of_the_pool_is_bounded(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_POOL_SECONDS", 0.5)
    with closing(Database(database_url, pool_size=1)) as small, ExitStack() as held:
        for _ in range(3):  # two may be made beside the pool
            held.enter_context(small.transaction())
        thread = threading.Thread(target=_fail, args=(small, "begin"), daemon=True)
        thread.start()
        thread.join(30)
        assert not thread.is_alive()


@pytest.mark.parametrize("moment", ["ping", "statement", "copy", "commit"])
def test_what_other_threads_wait_for_ends_with_an_interruption_too(
    moment: Moment, freezer: Freezer, through: Database
) -> None:
    _warmed(through, moment)
    freezer.arm(moment, is_everything=True)
    thread = threading.Thread(target=_fail, args=(through, moment), daemon=True)
    thread.start()
    assert freezer.has_frozen.wait(5)
    with pytest.raises(Interrupted), through.hurried_when_interrupted():
        raise Interrupted
    thread.join(3)
    assert not thread.is_alive()
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        _work(through, "begin")
    assert time.monotonic() - began < 3


def test_a_program_that_only_notes_signals_hears_them_too(freezer: Freezer, through: Database) -> None:
    noted = []

    def check() -> None:
        if noted:
            raise Interrupted

    _warmed(through, "statement")
    freezer.arm("statement", is_everything=True)
    calls.HEEDED.append(check)
    try:
        with _alarm(freezer, lambda *_: noted.append(1)) as sent, pytest.raises(Interrupted):
            _work(through, "statement")
    finally:
        calls.HEEDED.remove(check)
    assert time.monotonic() - sent[0] < 2.2


def _sql_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "sql"}


def test_to_ask_for_the_end_of_a_transaction_is_bounded_too(freezer: Freezer, through: Database) -> None:
    """The server freezes once more, exactly where it is asked to end what was interrupted."""

    def interrupt(signum: int, frame: object) -> None:
        freezer.arm("statement", is_everything=False, sent=b"pg_terminate_backend")
        raise Interrupted

    before = _sql_threads()
    _warmed(through, "statement")
    freezer.arm("statement", is_everything=False)
    with _alarm(freezer, interrupt), pytest.raises(Interrupted):
        _work(through, "statement")
    assert freezer.has_frozen.wait(30), "nobody asked"
    through.close()
    wait_until(lambda: _sql_threads() <= before, 60)


def test_a_wait_for_a_lock_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LOCK_TIMEOUT_SECONDS", 0.3)
    with database.transaction() as holder:
        holder.run("CREATE TABLE numbers (number integer)")
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable, match="locked by another transaction"), database.transaction() as tx:
            tx.run("CREATE TABLE numbers (number integer)")
        assert time.monotonic() - began < 5
