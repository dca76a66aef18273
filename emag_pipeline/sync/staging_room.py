"""An account's room in staging: a partition of its own in each of the four tables, made, emptied and removed here.

Emptying is a TRUNCATE of these partitions: it gives the disk back even while an old snapshot is open, and blocks no
other account. It needs them exclusively, so where somebody reads them for longer than a moment (pg_dump holds all
tables as long as it lives), rows are deleted instead, in pieces. The functions in the database do what only the tables'
owner may do (migration 0008); they never wait for one partition while they hold another.

Statements of a sync name its own partitions (`own`), of which the planner has statistics: of a divided table as a whole
it has none, and would take any join of staging for a large one. Whoever looks from outside names the table and the
account: partitions of others are neither locked nor read, and an account without a room has no rows.
"""

import re
import time
from collections.abc import Callable, Collection, Iterator
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction

#: The divided tables. What is staged of a sync has windows, so these go last: as long as one is there, so may others.
TABLES = ("emag_scan_offers", "emag_scan_confirmations", "emag_scan_changes", "emag_scan_pages")
CHANGES = "emag_scan_changes"

_DIVIDED = re.compile(r"\b(" + "|".join(TABLES) + r")\b")
#: Blocks of 8 kB in which rows are deleted together.
_PIECE = 1_000
_TIMEOUT_SECONDS = 300.0
#: Before each try to remove a room.
_PAUSES_SECONDS = (0.0, 0.2, 0.2, 0.5, 1.0)


@cache
def name(table: str, account: str) -> str:
    """The account's partition of a divided table; as emag_room_name has it."""
    digest = sha256(account.encode()).hexdigest()[:8]
    return f"{table}_{re.sub('[^a-z0-9_]', '_', account)[:30]}_{digest}"


def own(sql: str, account: str) -> str:
    """The statement with the account's own partitions in place of the divided tables."""
    return _DIVIDED.sub(lambda found: name(found[1], account), sql)


def run(tx: Transaction, sql: str, account: str, /, **parameters: Any) -> Any:
    """Execute a statement in the account's own partitions, which `:account` names as well."""
    return tx.run(own(sql, account), account=account, **parameters)


def make(database: Database, account: str) -> None:
    """See that the account has a room. Raises PermanentError where this user may not make one."""
    with database.transaction() as tx:
        rooms = [f'"{tx.schema}".{name(table, account)}' for table in TABLES]
        if not tx.run(statements("sync/staging.sql")["is_room_complete"], rooms=rooms).scalar_one():
            _ask_the_owner(tx, "emag_make_room(:account)", account=account)


def staged_syncs(tx: Transaction, account: str) -> list[UUID]:
    """The syncs of which windows are staged."""
    return list(tx.run(statements("sync/staging.sql")["staged_syncs"], account=account).scalars())


def blocks(tx: Transaction, table: str, account: str) -> int:
    """How many blocks the account's partition has; 0 where there is none."""
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
    """Give back what is staged of these syncs (None: whatever is there), all at once where nothing else has to stay.

    `fence` is asked within each transaction, and raises when nothing more may be removed.
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
    """Delete what a table of the account's room holds of these syncs, in small transactions."""
    for piece in _pieces(database, table, account):
        with database.transaction(timeout_seconds=_TIMEOUT_SECONDS, durable=False) as tx:
            fence(tx)
            run(
                tx,
                statements("sync/staging.sql")["delete_piece"].replace("{table}", table),
                account,
                **piece,
                going=None if going is None else list(going),
            )


def remove(database: Database, account: str) -> bool:
    """Empty the account's room and remove it. False: somebody reads staging, and the empty partitions stay.

    Others never wait for it: looks at staging take moments, so it is tried between them.
    """
    empty(database, account, None)
    for pause_seconds in _PAUSES_SECONDS:
        time.sleep(pause_seconds)
        with database.transaction() as tx:
            if _ask_the_owner(tx, "emag_remove_room(:account)", account=account):
                return True
    return False


def _ask_the_owner(tx: Transaction, function: str, **values: Any) -> bool:
    """Call a function that runs as the tables' owner. It reads like a question, and its commit matters."""
    tx.has_written = True
    return bool(tx.run(f"SELECT {function}", **values).scalar_one())


def _pieces(database: Database, table: str, account: str) -> Iterator[dict[str, str]]:
    """Stretches of the partition's file as it is now, each looked at once: what is dead stays there for a while."""
    with database.transaction() as tx:
        there = blocks(tx, table, account)
    for first in range(0, there, _PIECE):
        yield {"first": f"({first},0)", "beyond": f"({first + _PIECE},0)"}
