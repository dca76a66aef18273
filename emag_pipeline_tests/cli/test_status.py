import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from emag_pipeline import embedded
from emag_pipeline.local.embedded_use import in_use
from emag_pipeline.model import Reject
from emag_pipeline.monitoring.incidents import IncidentFinding, note
from emag_pipeline.monitoring.silence import SENSORS
from emag_pipeline.running_up import claimed
from emag_pipeline.sandbox.server import DEFAULT_ACCOUNTS
from emag_pipeline.settings.accounts import SANDBOX_ACCOUNTS
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.store.monitoring_tables import Said, record_check_result
from emag_pipeline.sync import ledger
from emag_pipeline_tests.admin.doctors import diagnosed, found
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.embedded import homes
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, execute, stage, sync


def test_json_says_what_was_published_and_what_was_not(database: Database, database_url: str, tmp_path: Path) -> None:
    published = sync(database, [offer(1), offer(2, is_saleable=False)])
    done = emag_pipeline(tmp_path, "status", "--json", DATABASE_SYNC_URL=database_url)
    assert done.returncode == 0
    main, fbe = json.loads(done.stdout)["accounts"]
    assert main | {"age_seconds": 0} == {
        "account": "main",
        "is_invented": True,
        "state": "completed",
        "last_publish_at": main["last_publish_at"],
        "oldest_page_at": main["oldest_page_at"],
        "age_seconds": 0,
        "offers": 2,
        "saleable": 1,
        "deleted": 0,
        "quarantined": 0,
        "flagged": 0,
        "running": None,
        "last_error": None,
        "approval": None,
        "page_size": None,
        "slowed": None,
    }
    read = datetime.fromisoformat(main["last_publish_at"])
    assert abs((read - published.published_at).total_seconds()) < 0.001
    assert main["last_publish_at"].endswith("Z")
    assert (fbe["state"], fbe["last_publish_at"], fbe["age_seconds"]) == ("never synced", None, None)


def test_rows_in_quarantine_are_counted_even_where_nothing_was_ever_published(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    lease = begin(database)
    bad = [Reject(number, "no id", "{}") for number in (1234, 1235, 1236)]
    stage(database, lease, [], rejects=bad)
    ledger.end(database, lease, "failed", error_class="RefusedError", message="refused", remedy="Look")
    table, document = (
        emag_pipeline(tmp_path, "status", *options, DATABASE_SYNC_URL=database_url) for options in ((), ("--json",))
    )
    main = json.loads(document.stdout)["accounts"][0]
    assert (main["quarantined"], main["flagged"]) == (3, 0)
    assert table.stdout.splitlines()[1].split() == ["main", "failed", "never", "0", "0", "0", "3"]


def test_json_shows_a_running_sync_and_its_pages(database: Database, database_url: str, tmp_path: Path) -> None:
    stage(database, begin(database, run_id="r1"), [offer(1)])
    done = emag_pipeline(tmp_path, "status", "--json", DATABASE_SYNC_URL=database_url)
    running = json.loads(done.stdout)["accounts"][0]["running"]
    assert (running["phase"], running["pages_done"], running["pages_expected"]) == ("scanning", 1, 1)
    assert running["dagster_run_id"] == "r1"
    assert datetime.fromisoformat(running["started_at"]).tzinfo == UTC


def test_the_table_tells_why_an_account_failed_and_what_to_do(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    ledger.end(database, begin(database), "failed", error_class="AccessRefused", message="refused", remedy="Log in")
    done = emag_pipeline(tmp_path, "status", DATABASE_SYNC_URL=database_url)
    assert done.returncode == 0
    assert "main: refused. Log in." in done.stdout


def test_a_pipe_gets_each_sentence_in_one_line_however_narrow_a_terminal_would_be(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    message = "the marketplace refuses the credentials of the user that is set for this account, at each call of today"
    ledger.end(database, begin(database), "failed", error_class="AccessRefused", message=message, remedy="Log in")
    done = emag_pipeline(tmp_path, "status", DATABASE_SYNC_URL=database_url, COLUMNS="40")
    assert f"main: {message}. Log in." in done.stdout.splitlines()
    assert done.stdout.splitlines()[0].split() == [
        "account", "state", "published", "offers", "saleable", "deleted", "rows", "in", "quarantine"
    ]  # fmt: skip


def test_open_incidents_are_listed_under_the_table_and_in_the_json(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    note(database, IncidentFinding("daemon", "silent", "it says nothing", "Start it"))
    table, document = (
        emag_pipeline(tmp_path, "status", *options, DATABASE_SYNC_URL=database_url) for options in ((), ("--json",))
    )
    assert "daemon: silent for " in table.stdout
    assert ": it says nothing. Start it." in table.stdout
    (incident,) = json.loads(document.stdout)["incidents"]
    assert incident | {"since": ""} == {
        "subject": "daemon",
        "kind": "silent",
        "error_class": None,
        "message": "it says nothing",
        "remedy": "Start it",
        "run_url": None,
        "since": "",
        "is_told": False,
    }


def test_an_incident_that_a_later_publish_has_ended_is_told_no_more(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    for kind in ("failing", "stale"):
        note(database, IncidentFinding("main", kind, "refused", "Log in", "AccessRefused"))
    note(database, IncidentFinding("fbe", "failing", "not published", "Wait", "ApiUnavailable"))
    sync(database, [offer(1)])
    table, document, doctor = (
        emag_pipeline(tmp_path, *command, DATABASE_SYNC_URL=database_url)
        for command in (("status",), ("status", "--json"), ("doctor", "--json"))
    )
    assert "Log in" not in table.stdout
    assert "fbe: failing for " in table.stdout
    assert [one["subject"] for one in json.loads(document.stdout)["incidents"]] == ["fbe"]
    (finding,) = [one for one in json.loads(doctor.stdout)["findings"] if one["subject"] == "incidents"]
    assert finding["what"].startswith("fbe ")


def test_an_incident_of_an_account_that_fails_again_after_its_publish_stays(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    note(database, IncidentFinding("main", "failing", "refused", "Log in", "AccessRefused"))
    sync(database, [offer(1)])
    ledger.end(database, begin(database), "failed", error_class="ApiUnavailable", message="away", remedy="Wait")
    said = emag_pipeline(tmp_path, "status", DATABASE_SYNC_URL=database_url).stdout
    assert re.search(r"main: failing for \d+ seconds?: refused\. Log in\.", said)


def test_without_a_running_database_it_says_how_to_get_one(tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "status")
    assert done.returncode == 1
    assert "Start it with `emag-pipeline up`" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_schema_that_was_never_made_is_5(empty_url: str, tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "status", DATABASE_SYNC_URL=empty_url)
    assert done.returncode == 5
    assert "emag-pipeline migrate" in done.stderr


def test_what_an_incident_says_and_a_newer_end_of_another_cause_stand_beside_each_other_with_their_own_ages(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    note(
        database,
        IncidentFinding("main", "failing", "main, /offer/read: the marketplace was away", "Wait", "ApiUnavailable"),
    )
    ledger.end(
        database, begin(database), "failed", error_class="AccessRefused", message="main: refused", remedy="Log in"
    )
    lines = emag_pipeline(tmp_path, "status", DATABASE_SYNC_URL=database_url).stdout.splitlines()
    told = [line for line in lines if line.startswith("main: ")]
    assert told[0].startswith("main: refused. Log in.")
    assert re.match(r"main: failing for \d+ seconds?: /offer/read: the marketplace was away\. Wait\.", told[1])
    note(database, IncidentFinding("main", "failing", "main: refused", "Log in", "AccessRefused"))
    lines = emag_pipeline(tmp_path, "status", DATABASE_SYNC_URL=database_url).stdout.splitlines()
    (same,) = [line for line in lines if line.startswith("main: ")]
    assert re.match(r"main: failing for \d+ seconds?: refused\. Log in\.", same)


def test_what_was_approved_is_told_as_approved(database: Database, database_url: str, tmp_path: Path) -> None:
    lease = begin(database)
    ledger.end(database, lease, "failed", error_class="RefusedError", message="refused", remedy="Approve it")
    note(database, IncidentFinding("main", "refused", "refused", "Approve it", "RefusedError"))
    with database.transaction() as tx:
        tx.run("UPDATE emag_offer_syncs SET approved_at = clock_timestamp() + interval '1 second'")
    said = emag_pipeline(tmp_path, "status", DATABASE_SYNC_URL=database_url).stdout
    assert re.search(r"main: approved by somebody at .* UTC \(sync .*\): the next run publishes it", said)
    assert "Approve it" not in said


def test_checks_that_do_not_pass_are_listed_and_in_the_json(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    sync(database, [offer(1)])
    record_check_result(
        database,
        Said("main", "prices_are_plausible", "offers", "WARN", False, "1 offer found", "Correct it", findings=1),
    )
    record_check_result(database, Said("main", "offers_are_fresh", "offers", "ERROR", True, "published just now"))
    table, document = (
        emag_pipeline(tmp_path, "status", *options, DATABASE_SYNC_URL=database_url) for options in ((), ("--json",))
    )
    assert "main: the check prices_are_plausible warns: 1 offer found. Correct it." in table.stdout
    (told,) = json.loads(document.stdout)["checks"]
    assert (told["subject"], told["check"], told["severity"], told["findings"]) == (
        "main", "prices_are_plausible", "WARN", 1,
    )  # fmt: skip


def test_an_embedded_database_that_sleeps_is_woken_for_as_long_as_it_takes(home: Path) -> None:
    with in_use(homes.migrated(home)) as server:
        database = Database(server.url("emag"))
        sync(database, [offer(1)])
        database.close()
    assert embedded.running(home) is None
    done = emag_pipeline(home, "status")
    assert (done.returncode, done.stderr) == (0, "")
    assert "completed" in done.stdout
    assert embedded.running(home) is None


def test_an_account_that_never_had_a_sync_is_told_in_the_words_of_the_doctor(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """Not by the check of freshness, whose remedy is to look here."""
    fresh = Said("main", "offers_are_fresh", "offers", "ERROR", False, "nothing was ever published", "See in status")
    record_check_result(database, fresh)
    variables = {"DATABASE_SYNC_URL": database_url, "EMAG_ACCOUNTS": "main"}
    words = "Run `emag-pipeline sync --account main`, or `emag-pipeline up`"
    said = emag_pipeline(tmp_path, "status", **variables).stdout
    assert f"main: never synced. {words}." in said
    assert "See in" not in said
    diagnosis = diagnosed(tmp_path, **variables)
    finding = found(diagnosis, "account main", "never synced")
    assert finding.remedy == words
    assert not [one for one in diagnosis.findings if "See in" in one.remedy]
    with claimed(tmp_path, "http://127.0.0.1:1"):
        said = emag_pipeline(tmp_path, "status", **variables).stdout
        finding = found(diagnosed(tmp_path, **variables), "account main", "never synced")
    assert f"No action needed: `emag-pipeline up` (process {os.getpid()}) starts its first sync" in said
    assert finding.remedy in said
    with claimed(tmp_path, "http://127.0.0.1:1", accounts=["fbe"]):
        said = emag_pipeline(tmp_path, "status", **variables).stdout
    assert f"main: never synced. Restart `emag-pipeline up` (process {os.getpid()}): it was started before" in said
    assert "No action needed" not in said


def test_a_sync_whose_process_was_killed_does_not_look_alive(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    gone = subprocess.Popen(["sleep", "60"])
    stage(database, begin(database, run_id="r1"), [offer(1)])
    mark = _mark_of(gone.pid)
    gone.kill()
    gone.wait()
    execute(database, f"UPDATE emag_offer_syncs SET process_id = {gone.pid}, process_start_ticks = {mark}")
    variables = {"DATABASE_SYNC_URL": database_url, "EMAG_ACCOUNTS": "main"}
    said = emag_pipeline(tmp_path, "status", **variables).stdout
    wanted = f"its sync is dead: its process {gone.pid} on"
    assert f"main: {wanted}" in said
    assert "`emag-pipeline sync --account main` continues after the last durable page" in said
    document = json.loads(emag_pipeline(tmp_path, "status", "--json", **variables).stdout)
    assert document["accounts"][0]["running"]["trouble"].startswith("dead: its process")
    assert wanted in found(diagnosed(tmp_path, **variables), "account main", "its sync is").what


def test_a_sync_that_beats_without_progress_is_ended_before_another_one_can_begin(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    stage(database, begin(database, run_id="r1"), [offer(1)])
    execute(
        database,
        "UPDATE emag_offer_syncs SET progressed_at = progressed_at - interval '9 days'",
    )
    said = emag_pipeline(tmp_path, "status", DATABASE_SYNC_URL=database_url, EMAG_ACCOUNTS="main").stdout
    assert "main: its sync is stuck: its heartbeat continues, but no progress" in said
    assert "`emag-pipeline recover` ends it, then `emag-pipeline sync --account main` continues after" in said


def test_it_does_not_load_the_sandbox() -> None:
    program = "import sys, emag_pipeline.cli.monitoring; print('emag_pipeline.sandbox' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert tuple(DEFAULT_ACCOUNTS) == SANDBOX_ACCOUNTS


def _mark_of(process_id: int) -> int:
    return int(Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[19])


def test_a_daemon_that_died_is_told_in_one_sentence(database: Database, database_url: str, tmp_path: Path) -> None:
    def lines() -> list[str]:
        return emag_pipeline(tmp_path, "status", DATABASE_SYNC_URL=database_url, COLUMNS="300").stdout.splitlines()

    assert not [line for line in lines() if "daemon" in line], "where none ever was, none is missing"
    for sensor in SENSORS:
        monitoring_tables.note_tick(database, sensor)
    assert not [line for line in lines() if "daemon" in line]
    execute(database, "UPDATE emag_sensor_ticks SET ticked_at = now() - interval '2 hours'")
    (line,) = [line for line in lines() if "daemon" in line]
    assert line.startswith("daemon: no sensor of Dagster's daemon has ticked for 2 hours: nothing is")
    assert "Start it: `emag-pipeline up`" in line
    document = json.loads(emag_pipeline(tmp_path, "status", "--json", DATABASE_SYNC_URL=database_url).stdout)
    assert document["daemon"]["seconds"] > 7199
    note(database, IncidentFinding("daemon", "silent", "Dagster's daemon is silent", "Start it"))
    (line,) = [line for line in lines() if "daemon" in line]
    assert line.startswith("daemon: silent for")
