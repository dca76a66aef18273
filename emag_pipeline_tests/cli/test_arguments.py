"""Arguments and options that cannot be read: the value, and what is allowed, in our words."""

from pathlib import Path

import pytest

from emag_pipeline_tests.cli.commands import emag_pipeline


@pytest.mark.parametrize(
    ("line", "named", "said"),
    [
        ("explain main abc", "OFFER_ID", "'abc' is not the id of an offer: give its emag_offer_id"),
        ("history main 0", "OFFER_ID", "'0' is not the id of an offer"),
        ("history main 9223372036854775808", "OFFER_ID", "'9223372036854775808' is not the id of an offer"),
        ("approve xyz", "SYNC_ID", "'xyz' is not the id of a sync: give one that `emag-pipeline status --json` shows"),
        ("discard 1", "SYNC_ID", "'1' is not the id of a sync"),
        ("rejects --limit 0", "--limit", "'0' is not a whole number from 1"),
        ("deviations --withdraw x", "--withdraw", "'x' is not a whole number from 1"),
        ("recover --max-age-hours -1", "--max-age-hours", "'-1' is not a number from 0"),
        ("sandbox --latency-seconds nan", "--latency-seconds", "'nan' is not a number from 0"),
    ],
)
def test_a_value_that_cannot_be_read_is_named_with_what_is_allowed(
    tmp_path: Path, line: str, named: str, said: str
) -> None:
    done = emag_pipeline(tmp_path, *line.split())
    assert (done.returncode, done.stdout) == (2, "")
    words = " ".join(done.stderr.replace("│", " ").split())
    assert f"Invalid value for '{named}': {said}" in words
    assert "unable to parse" not in words
