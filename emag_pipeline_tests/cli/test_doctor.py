import json
from datetime import UTC, datetime
from pathlib import Path

from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.local.ups import free_ports


def test_json_tells_programs_all_findings_and_the_worst_verdict(database_url: str, tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "doctor", "--json", DATABASE_SYNC_URL=database_url, EMAG_SANDBOX="1")
    document = json.loads(done.stdout)
    assert list(document) == ["at", "verdict", "findings"]
    assert datetime.fromisoformat(document["at"]).tzinfo == UTC
    assert (done.returncode, document["verdict"]) == (1, "broken")
    for finding in document["findings"]:
        assert list(finding) == ["subject", "verdict", "what", "remedy"]
        assert finding["remedy"] or finding["verdict"] == "ok"
    subjects = {finding["subject"] for finding in document["findings"]}
    assert subjects == {
        "settings", "database", "clock", "account main", "account fbe", "checks", "incidents", "daemon", "ports",
        "disk", "memory", "locks", "programs",
    }, "sensors that are silent because no daemon runs are no finding of their own"  # fmt: skip


def test_each_finding_is_one_line_that_ends_with_what_to_do(tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "doctor", EMAG_UI_PROT="1")
    (line,) = [line for line in done.stdout.splitlines() if "EMAG_UI_PROT is not" in line]
    # as wide as the longest verdict, which depends on what the others are
    assert line.split(maxsplit=1) == [
        "warning",
        "settings: EMAG_UI_PROT is not a known setting. Did you mean EMAG_UI_PORT?",
    ]


def test_wrong_settings_end_with_2_and_every_one_is_told(tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "doctor", EMAG_UI_PORT="x", EMAG_SYNC_MAX_PAGES="y", DATABASE_URL="mysql://h/d")
    assert done.returncode == 2
    assert [line.split("  ")[0] for line in done.stdout.splitlines()[:3]] == ["broken"] * 3


def test_what_goes_wrong_is_told_once_and_not_in_the_log_too(database_url: str, tmp_path: Path) -> None:
    given = {"DATABASE_SYNC_URL": database_url, "EMAG_SANDBOX": "1", "EMAG_SANDBOX_PORT": str(*free_ports(1))}
    done = emag_pipeline(tmp_path, "doctor", **given)
    assert "127.0.0.1 refuses connections" in done.stdout
    assert done.stderr == ""
