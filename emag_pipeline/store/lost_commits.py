"""A connection that is lost at the commit leaves open whether it happened: the server is asked, by another one."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from emag_pipeline.errors import DatabaseUnavailable, PipelineError
from emag_pipeline.logs import logger
from emag_pipeline.store.calls import DriverCalls
from emag_pipeline.store.transaction import Transaction

log = logger(__name__)

#: The server is asked for as long as it may take to connect.
_ASK_SECONDS = 15.0
#: A server whose client is gone may still be committing, and one that is being restarted is back in a moment.
_LOOK_SECONDS = 0.1

#: A transaction's number, and the life of its server: from one crash to the next. The server loses its statistics in a
#: crash, whether all of it died or one of its processes, and a replica in its place has others; a stop keeps them.
_NUMBER = """
    SELECT CAST(pg_current_xact_id_if_assigned() AS text) AS number,
           CAST(pg_stat_get_bgwriter_stat_reset_time() AS text) AS life
"""
_STATUS = """
    SELECT pg_xact_status(CAST(:number AS xid8)) AS status,
           CAST(pg_stat_get_bgwriter_stat_reset_time() AS text) AS life
"""


@dataclass(frozen=True, slots=True)
class Number:
    """A transaction as the server knows it in one life: after a crash, another one may get the same number."""

    number: str
    life: str | None


def number_of(tx: Transaction) -> Number | None:
    """The transaction's number on the server; None when nothing was written."""
    if not tx.has_written:
        return None
    row = tx.run(_NUMBER).one()
    return None if row.number is None else Number(row.number, row.life)


def require_committed(
    open_transaction: Callable[[], AbstractContextManager[Transaction]],
    calls: DriverCalls,
    number: Number,
    lost: DatabaseUnavailable,
) -> None:
    """See by another connection that a transaction is done. Raises `lost` if not, or says that nobody knows."""
    found = _found(open_transaction, calls, number)
    if found is None:
        raise _unknown("the server does not say")
    if found.life is None or found.life != number.life:
        raise _unknown("the server has crashed since, or another one is in its place")
    if found.status != "committed":
        raise lost
    log.info("commit_found", what=f"transaction {number.number}")


def _found(
    open_transaction: Callable[[], AbstractContextManager[Transaction]], calls: DriverCalls, number: Number
) -> Any:
    """What the server says of a transaction that has ended; None if it does not say while one would connect."""
    until = time.monotonic() + _ASK_SECONDS
    while True:
        try:
            with open_transaction() as tx:
                found = tx.run(_STATUS, number=number.number).one()
            if found.status != "in progress" or found.life != number.life:
                return found
        except DatabaseUnavailable:
            if calls.are_hurried:
                return None
        except PipelineError:  # one that never heard of it
            return None
        if time.monotonic() > until:
            return None
        calls.pause(_LOOK_SECONDS)


def _unknown(why: str) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        "the connection was lost at a commit, and it is not known whether that was done",
        where="database",
        why=why,
        remedy="Look what is there before it is done again; a sync looks by itself, and the next run goes on",
    )
