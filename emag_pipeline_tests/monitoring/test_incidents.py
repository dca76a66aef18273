from datetime import UTC, datetime, timedelta

from emag_pipeline.monitoring import incidents, outbox
from emag_pipeline.monitoring.incidents import Incident, IncidentFinding
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.syncs import rows


def _failing(error_class: str = "AccessRefused", subject: str = "main", message: str = "it said no") -> IncidentFinding:
    return IncidentFinding(subject, "failing", message, "Log in", error_class, "r1")


def _refused(sync: str) -> IncidentFinding:
    return IncidentFinding("main", "refused", "half of it has vanished", f"Run `approve {sync}`", "RefusedError")


def _claimed(database: Database) -> Incident:
    claimed = outbox.claim_alert(database, 60)
    assert claimed is not None
    return claimed


def _tell(database: Database, finding: IncidentFinding) -> Incident:
    """Open the incident, as told."""
    incidents.note(database, finding)
    claimed = _claimed(database)
    outbox.note_alert_sent(database, claimed)
    return claimed


def _now() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=1)


def test_what_is_found_again_is_the_same_incident_and_no_news(database: Database) -> None:
    assert incidents.note(database, _failing())
    assert not incidents.note(database, _failing(message="it said no, at another time"))
    (incident,) = incidents.open_incidents(database)
    assert (incident.subject, incident.kind, incident.dagster_run_id) == ("main", "failing", "r1")
    assert incident.message == "it said no, at another time"
    assert incident.seen_at > incident.opened_at


def test_another_cause_is_news_and_is_told_again(database: Database) -> None:
    _tell(database, _failing())
    assert outbox.claim_alert(database, 60) is None
    assert incidents.note(database, _failing("PageBoundExceeded"))
    assert _claimed(database).error_class == "PageBoundExceeded"


def test_another_cause_is_as_old_as_itself_and_the_end_is_told_of_all_from_the_first_on(database: Database) -> None:
    first = _tell(database, _failing("OwnerDied")).opened_at
    let_pass(database, timedelta(hours=2))
    assert incidents.note(database, _failing("ApiUnavailable"))
    (incident,) = incidents.open_incidents(database)
    assert (incident.error_class, incident.opened_at > first) == ("ApiUnavailable", True)
    assert outbox.claim_end(database, 60) == [], "the account fails still"
    outbox.note_alert_sent(database, _claimed(database))
    incidents.close(database, "main", well_at=_now())
    ended = outbox.claim_end(database, 60)
    assert [one.error_class for one in ended] == ["OwnerDied", "ApiUnavailable"]
    assert min(one.opened_at for one in ended) <= first - timedelta(hours=2)


def test_a_failing_account_that_is_refused_next_has_one_open_incident(database: Database) -> None:
    opened_at = _tell(database, _failing()).opened_at
    assert incidents.note(database, _refused("a"))
    (incident,) = incidents.open_incidents(database)
    assert (incident.kind, incident.opened_at > opened_at) == ("refused", True)


def test_another_refused_scan_is_told_because_another_sync_is_to_be_approved(database: Database) -> None:
    _tell(database, _refused("a"))
    assert not incidents.note(database, _refused("a"))
    assert incidents.note(database, _refused("b"))
    assert _claimed(database).remedy == "Run `approve b`"


def test_only_what_began_before_the_publish_is_closed_by_it(database: Database) -> None:
    incidents.note(database, _failing())
    assert incidents.close(database, "main", well_at=datetime.now(UTC) - timedelta(hours=1)) == []
    assert incidents.close(database, "fbe", well_at=_now()) == []
    assert [one.kind for one in incidents.close(database, "main", well_at=_now())] == ["failing"]
    assert incidents.open_incidents(database) == []


def test_what_is_still_found_stays_open(database: Database) -> None:
    incidents.note(database, _failing())
    incidents.note(database, IncidentFinding("main", "stale", "7 hours", "Look"))
    incidents.close(database, "main", well_at=_now(), still={"stale"})
    assert [one.kind for one in incidents.open_incidents(database)] == ["stale"]


def test_two_processes_do_not_claim_the_same_alert(database: Database) -> None:
    incidents.note(database, _failing())
    incidents.note(database, _failing(subject="fbe"))
    assert [_claimed(database).subject for _ in range(2)] == ["main", "fbe"]
    assert outbox.claim_alert(database, 60) is None


def test_an_alert_that_was_not_taken_or_whose_teller_died_is_claimed_again(database: Database) -> None:
    incidents.note(database, _failing())
    outbox.note_not_sent(database, [_claimed(database)])
    outbox.claim_alert(database, claim_seconds=0)
    assert outbox.claim_alert(database, 60) is not None


def test_stale_is_told_when_it_is_found_a_second_time(database: Database) -> None:
    stale = IncidentFinding("main", "stale", "7 hours", "Look")
    incidents.note(database, stale)
    assert outbox.claim_alert(database, 60) is None
    incidents.note(database, stale)
    assert _claimed(database).kind == "stale"


def test_an_end_is_told_once_for_all_of_a_subject_and_only_if_the_alert_was(database: Database) -> None:
    _tell(database, _failing())
    incidents.note(database, IncidentFinding("main", "stale", "7 hours", "Look"))
    incidents.note(database, _failing(subject="fbe"))
    for subject in ("main", "fbe"):
        incidents.close(database, subject, well_at=_now())
    ended = outbox.claim_end(database, 60)
    assert [(one.subject, one.kind) for one in ended] == [("main", "failing")]
    outbox.note_end_sent(database, ended)
    assert outbox.claim_end(database, 60) == []


def test_an_end_that_another_process_is_sending_is_not_claimed_with_a_later_one(database: Database) -> None:
    _tell(database, _failing())
    incidents.close(database, "main", well_at=_now())
    assert [one.error_class for one in outbox.claim_end(database, 60)] == ["AccessRefused"]
    _tell(database, _failing("PageBoundExceeded"))
    incidents.close(database, "main", well_at=_now())
    assert [one.error_class for one in outbox.claim_end(database, 60)] == ["PageBoundExceeded"]


def test_no_end_is_told_while_the_subject_has_another_open_incident(database: Database) -> None:
    _tell(database, _failing())
    incidents.note(database, IncidentFinding("main", "stale", "7 hours", "Look"))
    incidents.close(database, "main", well_at=_now(), still={"stale"})
    assert outbox.claim_end(database, 60) == []


def test_an_account_that_was_taken_out_of_the_settings_is_forgotten_without_a_word(database: Database) -> None:
    _tell(database, _failing(subject="old"))
    incidents.note(database, _failing())
    incidents.forget_others(database, ["main", "daemon"], unseen_seconds=0)
    assert [one.subject for one in incidents.open_incidents(database)] == ["main"]
    assert outbox.claim_end(database, 60) == []


def test_what_another_installation_has_seen_just_now_is_left_to_it(database: Database) -> None:
    incidents.note(database, _failing(subject="outlet"))
    incidents.forget_others(database, ["main"], unseen_seconds=900)
    assert [one.subject for one in incidents.open_incidents(database)] == ["outlet"]
    let_pass(database, timedelta(minutes=16))
    incidents.forget_others(database, ["main"], unseen_seconds=900)
    assert incidents.open_incidents(database) == []


def test_each_message_is_counted_by_its_outcome(database: Database) -> None:
    incidents.note(database, _failing())
    outbox.note_not_sent(database, [_claimed(database)])
    outbox.note_alert_sent(database, _claimed(database))
    counted = rows(
        database,
        """SELECT labels ->> 'outcome' AS outcome, value FROM emag_counters
           WHERE name = 'emag_sync_alerts_total' ORDER BY 1""",
    )
    assert [tuple(row) for row in counted] == [("failed", 1), ("told", 1)]
