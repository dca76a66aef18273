"""`accept` and `deviations`, on a database with one published offer."""

import getpass
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emag_pipeline.review import deviations
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import sync

#: A day that is not over before the tests are, on whatever day they began.
_LATER = datetime.now(UTC).date() + timedelta(days=2)


def test_what_was_accepted_is_listed_with_who_why_and_how_long(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    sync(database, [offer(1)])
    accepted = emag_pipeline(
        tmp_path, "accept", "ean_check_digits_are_right", "--account", "main", "--offer", "1",
        "--reason", "a code of our own [shop]", "--until", str(_LATER), DATABASE_SYNC_URL=database_url,
    )  # fmt: skip
    assert (accepted.returncode, accepted.stderr) == (0, "")
    assert f"accepts offer 1 until {_LATER}" in accepted.stdout
    table, document = (
        emag_pipeline(tmp_path, "deviations", *options, DATABASE_SYNC_URL=database_url) for options in ((), ("--json",))
    )
    assert f"{_LATER}" in table.stdout
    assert "a code of our own [shop]" in table.stdout
    (one,) = json.loads(document.stdout)
    assert one | {"accepted_at": ""} == {
        "id": 1,
        "account": "main",
        "check": "ean_check_digits_are_right",
        "emag_offer_id": 1,
        "reason": "a code of our own [shop]",
        "accepted_by": getpass.getuser(),
        "accepted_at": "",
        "expires_at": f"{_LATER + timedelta(days=1)}T00:00:00.000000Z",
        "withdrawn_at": None,
        "is_active": True,
    }


def test_an_offer_that_the_check_does_not_find_is_accepted_and_said(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    sync(database, [offer(1, ean=("5941234567890",)), offer(2, ean=("5941234567899",))])
    accepted = emag_pipeline(
        tmp_path, "accept", "ean_check_digits_are_right", "--account", "main", "--offer", "1", "--offer", "2",
        "--reason", "ours", "--until", str(_LATER), DATABASE_SYNC_URL=database_url,
    )  # fmt: skip
    assert (accepted.returncode, accepted.stderr) == (0, "")
    told, missed = accepted.stdout.splitlines()
    assert "accepts offer 1, 2 until" in told
    assert missed.startswith("main: ean_check_digits_are_right finds nothing on offer 2 now. What it finds there until")
    withdrawn = emag_pipeline(tmp_path, "deviations", "--withdraw", "2", DATABASE_SYNC_URL=database_url)
    assert withdrawn.stdout == (
        "main: ean_check_digits_are_right no longer accepts offer 2, from its next evaluation on: "
        "its findings there count again\n"
    )


def test_a_pipe_gets_whole_names_however_narrow_a_terminal_would_be(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    check, reason = (
        "currencies_are_the_marketplaces",
        "the supplier's list of prices is in euro, all of this season " * 3,
    )
    deviations.accept(database, "main", check, [], reason=reason, until=_LATER, by="ana")
    done = emag_pipeline(tmp_path, "deviations", DATABASE_SYNC_URL=database_url, COLUMNS="40")
    _, line = done.stdout.splitlines()
    assert check in line
    assert reason.strip() in line


def test_an_acceptance_can_be_withdrawn_and_is_then_shown_with_all_only(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    deviations.accept(database, "main", "offers_are_fresh", [], reason="closed", until=_LATER, by="ana")
    done = emag_pipeline(tmp_path, "deviations", "--withdraw", "1", DATABASE_SYNC_URL=database_url)
    assert (done.returncode, done.stdout) == (
        0, "main: offers_are_fresh no longer accepts whatever it finds, from its next evaluation on: "
        "its findings there count again\n",
    )  # fmt: skip
    assert emag_pipeline(tmp_path, "deviations", DATABASE_SYNC_URL=database_url).stdout == "nothing is accepted\n"
    shown = emag_pipeline(tmp_path, "deviations", "--all", DATABASE_SYNC_URL=database_url).stdout
    assert f"withdrawn {datetime.now(UTC):%Y-%m-%d}" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["prices", "--reason", "x", "--until", str(_LATER)],
            "'prices' cannot be accepted. Give one of offers_are_fresh,",
        ),
        (["offers_are_fresh", "--reason", "x", "--until", "2020-01-01"], "2020-01-01 is over. Give a day from"),
        (["offers_are_fresh", "--reason", "x", "--until", "tomorrow"], "does not match"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(database_url: str, tmp_path: Path, arguments: list[str], said: str) -> None:
    done = emag_pipeline(tmp_path, "accept", *arguments, "--account", "main", DATABASE_SYNC_URL=database_url)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
