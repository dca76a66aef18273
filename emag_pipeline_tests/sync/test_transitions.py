"""The ledger changes by its transitions only, each from the states that it names."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from emag_pipeline.errors import LeaseLost
from emag_pipeline.store.engine import Database
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import ledger
from emag_pipeline.sync.ledger import Lease, SyncPhase, SyncStatus, WrongTransition
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, execute, rows, stage

_SCAN = {SyncPhase.PLANNING, SyncPhase.SCANNING, SyncPhase.CONFIRMING}
_NOW = datetime(2026, 11, 28, tzinfo=UTC)
#: Each transition under the lease, and the phases that it is allowed in.
_TRANSITIONS: dict[str, tuple[Callable[[Transaction, Lease], object], set[SyncPhase]]] = {
    "plan": (lambda tx, lease: ledger.plan(tx, lease, pages=1, offers=1, seconds=0), _SCAN),
    "add_windows": (
        lambda tx, lease: ledger.add_windows(tx, lease, 1, rejects=0, done=1, expected=1, rows=1, reading=1),
        _SCAN,
    ),
    "set_windows": (lambda tx, lease: ledger.set_windows(tx, lease, 0), _SCAN),
    "confirm": (ledger.confirm, _SCAN),
    "add_rejects": (lambda tx, lease: ledger.add_rejects(tx, lease, 1), _SCAN),
    "end_scan": (lambda tx, lease: ledger.end_scan(tx, lease, {}), _SCAN),
    "audit": (ledger.audit, set(SyncPhase)),
    "accept": (lambda tx, lease: ledger.accept(tx, lease, {}), {SyncPhase.AUDITING}),
    "refuse": (lambda tx, lease: ledger.refuse(tx, lease, {}), {SyncPhase.AUDITING}),
    "complete": (
        lambda tx, lease: ledger.complete(tx, lease, number=1, at=_NOW, created=0, updated=0, unchanged=0, deleted=0),
        {SyncPhase.PUBLISHING},
    ),
}
_ENDED = "UPDATE emag_offer_syncs SET status = :status, error_class = :error_class, completed_at = now()"
_WHOLE = "SELECT account_type, s::text AS whole FROM emag_offer_syncs s"
_OF_ANOTHER = "UPDATE emag_offer_syncs SET lease_token = gen_random_uuid()"


@pytest.mark.parametrize("transition", _TRANSITIONS)
def test_a_transition_passes_in_its_own_phases_only(transition: str, database: Database) -> None:
    change, allowed = _TRANSITIONS[transition]
    lease = begin(database)
    for phase in SyncPhase:
        in_phase = "UPDATE emag_offer_syncs SET status = 'running', phase = :phase, pages_expected = 1"
        execute(database, in_phase, phase=phase)
        if phase in allowed:
            with database.transaction() as tx:
                change(tx, lease)
            continue
        with pytest.raises(WrongTransition, match=f"{transition} in the phase {phase}"), database.transaction() as tx:
            change(tx, lease)
        assert ledger.read(database, lease.sync_id).phase is phase


@pytest.mark.parametrize("transition", _TRANSITIONS)
def test_without_the_lease_no_transition_passes(transition: str, database: Database) -> None:
    change, allowed = _TRANSITIONS[transition]
    lease = begin(database)
    execute(database, "UPDATE emag_offer_syncs SET phase = :phase, pages_expected = 1", phase=min(allowed))
    for end in ("UPDATE emag_offer_syncs SET status = 'cancelled'", _OF_ANOTHER):
        execute(database, end)
        with pytest.raises(LeaseLost), database.transaction() as tx:
            change(tx, lease)


def _from_outside(transition: str, database: Database, lease: Lease) -> None:
    with database.transaction() as tx:
        if transition == "end":
            failed = {"error_class": "Interrupted", "message": "m", "remedy": "r"}
            ledger.end_locked(tx, lease.sync_id, SyncStatus.FAILED, **failed)
        elif transition == "approve":
            ledger.approve(tx, lease.sync_id, "ana")
        elif transition == "discard":
            ledger.discard(tx, lease.sync_id, "ana")
    if transition == "resume":
        assert begin(database, lease.account).resumed


@pytest.mark.parametrize(
    ("transition", "status", "error_class"),
    [
        ("end", "running", None),
        ("approve", "failed", "RefusedError"),
        ("discard", "failed", "RefusedError"),
        ("resume", "failed", "Interrupted"),
    ],
)
def test_a_transition_changes_its_own_sync_only(
    transition: str, status: str, error_class: str | None, database: Database
) -> None:
    for account in ("fbe", "main"):
        lease = begin(database, account)
        stage(database, lease, [offer(1)])
    completed = None if status == "running" else _NOW
    execute(
        database,
        "UPDATE emag_offer_syncs SET status = :status, error_class = :error_class, completed_at = :completed",
        **{"status": status, "error_class": error_class, "completed": completed},
    )
    before = {row.account_type: row.whole for row in rows(database, _WHOLE)}
    _from_outside(transition, database, lease)
    after = {row.account_type: row.whole for row in rows(database, _WHOLE)}
    assert after["fbe"] == before["fbe"]
    assert after["main"] != before["main"]


@pytest.mark.parametrize("status", SyncStatus)
def test_a_sync_ends_here_unpublished_or_not_at_all(status: SyncStatus, database: Database) -> None:
    lease = begin(database)
    reason = {"error_class": "ApiUnavailable", "message": "m", "remedy": "r"}
    if status in (SyncStatus.FAILED, SyncStatus.TIMEOUT, SyncStatus.CANCELLED):
        assert ledger.end(database, lease, status, **reason)
        assert ledger.read(database, lease.sync_id).status is status
        return
    with pytest.raises(WrongTransition, match=f"no sync ends as {status} here"):
        ledger.end(database, lease, status, **reason)
    assert ledger.read(database, lease.sync_id).status is SyncStatus.RUNNING


@pytest.mark.parametrize("status", sorted(set(SyncStatus) - {SyncStatus.RUNNING}))
def test_a_sync_that_has_ended_is_not_ended_again(status: SyncStatus, database: Database) -> None:
    lease = begin(database)
    execute(database, _ENDED, status=status, error_class="ApiUnavailable")
    (before,) = rows(database, _WHOLE)
    _from_outside("end", database, lease)
    assert rows(database, _WHOLE) == [before]


def test_only_a_refused_sync_is_approved(database: Database) -> None:
    lease = begin(database)
    for status in SyncStatus:
        for error_class in ("ApiUnavailable", "RefusedError"):
            execute(database, _ENDED, status=status, error_class=error_class)
            if (status, error_class) != (SyncStatus.FAILED, "RefusedError"):
                with pytest.raises(WrongTransition), database.transaction() as tx:
                    ledger.approve(tx, lease.sync_id, "ana")
    assert ledger.read(database, lease.sync_id).approval is None
    execute(database, _ENDED, status="failed", error_class="RefusedError")
    with database.transaction() as tx:
        ledger.approve(tx, lease.sync_id, "ana")
    approval = ledger.read(database, lease.sync_id).approval
    assert approval is not None
    assert (approval.sync_id, approval.by) == (lease.sync_id, "ana")


def test_only_a_sync_that_ended_unpublished_is_discarded(database: Database) -> None:
    lease = begin(database)
    for status in SyncStatus:
        execute(database, _ENDED, status=status, error_class="Interrupted")
        execute(database, "UPDATE emag_offer_syncs SET discarded_at = NULL")
        with database.transaction() as tx:
            ledger.discard(tx, lease.sync_id, "ana")
        is_discarded = ledger.read(database, lease.sync_id).discarded_at is not None
        assert is_discarded is status.has_ended_unpublished


@pytest.mark.parametrize("status", sorted(set(SyncStatus) - {SyncStatus.RUNNING}))
def test_only_a_sync_that_ended_unpublished_is_resumed(status: SyncStatus, database: Database) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1)])
    execute(database, _ENDED, status=status, error_class="Interrupted")
    assert begin(database).resumed is status.has_ended_unpublished


@pytest.mark.parametrize(("column", "values"), [("status", SyncStatus), ("phase", SyncPhase)])
def test_the_names_are_those_that_the_schema_allows(
    column: str, values: type[SyncStatus] | type[SyncPhase], database: Database
) -> None:
    (found,) = rows(
        database,
        """SELECT pg_get_constraintdef(c.oid) AS rule FROM pg_constraint c
           WHERE c.conrelid = to_regclass('emag_offer_syncs') AND c.contype = 'c' AND c.conkey = ARRAY(
               SELECT attnum FROM pg_attribute WHERE attrelid = c.conrelid AND attname = :column)""",
        column=column,
    )
    assert set(re.findall(r"'(\w+)'", found.rule)) == set(values)
