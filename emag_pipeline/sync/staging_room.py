"""An account's room in staging is its own partition of each of the four tables: created, emptied and removed here.

A room is emptied by TRUNCATE: this frees the disk space even while an old snapshot is open, and blocks no other
account. It needs an exclusive lock; if another session reads the partitions for longer (pg_dump locks all tables while
it runs), rows are deleted in pieces instead. Database functions do what only the tables' owner may do (migration 0008);
they never wait for one partition while holding another.

Statements of a sync use its own partitions (`own`), for which the planner has statistics; for a whole partitioned table
it has none and would expect every join to be large. Other code uses the table with a condition on the account: then
other partitions are neither locked nor read, and an account without a room has no rows.
"""

import re
import time
from collections.abc import Callable, Collection, Iterator
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import filled, statements
from emag_pipeline.store.transaction import Transaction

#: The partitioned tables, in the order of deletion. Windows are last: while they exist, other rows may exist too.
TABLES = ("emag_scan_offers", "emag_scan_confirmations", "emag_scan_changes", "emag_scan_pages")
CHANGES = "emag_scan_changes"

_DIVIDED = re.compile(r"\b(" + "|".join(TABLES) + r")\b")
#: Number of 8 kB blocks whose rows are deleted in one transaction.
_PIECE = 1_000
_TIMEOUT_SECONDS = 300.0
#: Pauses before each attempt to remove a room.
_PAUSES_SECONDS = (0.0, 0.2, 0.2, 0.5, 1.0)


@cache
def name(table: str, account: str) -> str:
    """The name of the account's partition of a table; the same as emag_room_name returns."""
    digest = sha256(account.encode()).hexdigest()[:8]
    return f"{table}_{re.sub('[^a-z0-9_]', '_', account)[:30]}_{digest}"


def own(sql: str, account: str) -> str:
    """The statement with the partitioned tables replaced by the account's own partitions."""
    return _DIVIDED.sub(lambda found: name(found[1], account), sql)


def run(tx: Transaction, sql: str, account: str, /, **parameters: Any) -> Any:
    """Execute a statement on the account's own partitions; `:account` is passed as a parameter too."""
    return tx.run(own(sql, account), account=account, **parameters)


def make(database: Database, account: str) -> None:
    """Create the account's room if it is missing. Raises PermanentError if this user may not create one."""
    with database.transaction() as tx:
        rooms = [f'"{tx.schema}".{name(table, account)}' for table in TABLES]
        if not tx.run(statements("sync/staging.sql")["is_room_complete"], rooms=rooms).scalar_one():
            _ask_the_owner(tx, "emag_make_room(:account)", account=account)


def staged_syncs(tx: Transaction, account: str) -> list[UUID]:
    """The syncs with staged windows."""
    return list(tx.run(statements("sync/staging.sql")["staged_syncs"], account=account).scalars())


def blocks(tx: Transaction, table: str, account: str) -> int:
    """The number of blocks of the account's partition; 0 if it does not exist."""
    room = f'"{tx.schema}".{name(table, account)}'
    return int(tx.run(statements("sync/staging.sql")["room_blocks"], room=room).scalar_one())


def empty(
    database: Database,
    account: str,
    going: Collection[UUID] | None,
    *,
    keeps_changes: bool = False,
    fence: Callable[[Transaction], None] = lambda _: None,
) -> None:
    """Remove what is staged of these syncs (None: of all), by TRUNCATE if nothing else has to stay.

    `fence` is called within each transaction and raises if nothing more may be removed.
    """
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        fence(tx)
        is_done = _ask_the_owner(
            tx,
            "emag_empty_room(:account, CAST(:going AS uuid[]), :keeps_changes)",
            account=account,
            going=None if going is None else list(going),
            keeps_changes=keeps_changes,
        )
    if is_done or (going is not None and not going):
        return
    for table in TABLES:
        if not (keeps_changes and table == CHANGES):
            delete(database, table, account, going, fence=fence)


def delete(
    database: Database,
    table: str,
    account: str,
    going: Collection[UUID] | None,
    *,
    fence: Callable[[Transaction], None] = lambda _: None,
) -> None:
    """Delete the rows of these syncs from a table of the account's room, in small transactions."""
    for piece in _pieces(database, table, account):
        with database.transaction(timeout_seconds=_TIMEOUT_SECONDS, durable=False) as tx:
            fence(tx)
            run(
                tx,
                filled(statements("sync/staging.sql")["delete_piece"], {"table": table}),
                account,
                **piece,
                going=None if going is None else list(going),
            )


def remove(database: Database, account: str) -> bool:
    """Empty the account's room and remove it. Returns False if other sessions read staging: empty partitions stay.

    It does not block other sessions: it retries a few times, since their reads are usually short.
    """
    empty(database, account, None)
    for pause_seconds in _PAUSES_SECONDS:
        time.sleep(pause_seconds)
        with database.transaction() as tx:
            if _ask_the_owner(tx, "emag_remove_room(:account)", account=account):
                return True
    return False


def _ask_the_owner(tx: Transaction, function: str, **values: Any) -> bool:
    """Call a function that runs as the tables' owner. Marks the transaction as writing, although it is a SELECT."""
    tx.has_written = True
    return bool(tx.run(f"SELECT {function}", **values).scalar_one())


def _pieces(database: Database, table: str, account: str) -> Iterator[dict[str, str]]:
    """Ranges of the partition's current blocks, each returned once; deleted rows stay in the file until VACUUM."""
    with database.transaction() as tx:
        there = blocks(tx, table, account)
    for first in range(0, there, _PIECE):
        yield {"first": f"({first},0)", "beyond": f"({first + _PIECE},0)"}
