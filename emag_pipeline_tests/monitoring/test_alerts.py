from dataclasses import replace
from datetime import UTC, datetime, timedelta

from emag_pipeline.monitoring import alerts
from emag_pipeline.monitoring.incidents import Incident
from emag_pipeline.settings import load_settings

_SETTINGS = load_settings({"EMAG_UI_PORT": "3456"}, env_file=None)
_AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
_INCIDENT = Incident(
    incident_id=1,
    subject="main",
    kind="failing",
    error_class="AccessRefused",
    message="main, sync 1: the marketplace refuses the credentials",
    remedy="Correct EMAG_API_PASSWORD",
    dagster_run_id="r1",
    opened_at=_AT,
    seen_at=_AT,
    closed_at=None,
    told_at=None,
)


def test_an_alert_is_a_sentence_that_says_what_is_wrong_what_to_do_and_where_to_look() -> None:
    assert alerts.alert(_INCIDENT, _SETTINGS)["text"] == (
        "main is failing: main, sync 1: the marketplace refuses the credentials. Correct EMAG_API_PASSWORD. "
        "http://127.0.0.1:3456/runs/r1"
    )


def test_the_same_stands_in_fields() -> None:
    document = alerts.alert(_INCIDENT, _SETTINGS)
    del document["text"]
    assert document == {
        "state": "open",
        "subject": "main",
        "account": "main",
        "kind": "failing",
        "cause": "main, sync 1: the marketplace refuses the credentials",
        "error_class": "AccessRefused",
        "remedy": "Correct EMAG_API_PASSWORD",
        "run_url": "http://127.0.0.1:3456/runs/r1",
        "since": "2026-11-24T12:00:00.000000Z",
    }


def test_what_is_no_account_has_none() -> None:
    document = alerts.alert(replace(_INCIDENT, subject="daemon", kind="silent", dagster_run_id=None), _SETTINGS)
    assert (document["subject"], document["account"], document["run_url"]) == ("daemon", None, None)
    assert document["text"].startswith("the daemon is silent: ")


def test_well_again_says_after_how_long_and_what_is_published() -> None:
    ended = [
        replace(_INCIDENT, closed_at=_AT + timedelta(minutes=43)),
        replace(_INCIDENT, kind="stale", opened_at=_AT + timedelta(minutes=5), closed_at=_AT + timedelta(minutes=43)),
    ]
    document = alerts.all_clear(ended, _SETTINGS, offers=1234)
    assert document["text"] == "main recovered after 43 minutes: 1,234 offers published"
    assert (document["state"], document["kind"], document["since"]) == (
        "closed",
        ["failing", "stale"],
        "2026-11-24T12:00:00.000000Z",
    )


def test_words_of_the_marketplace_cannot_call_a_slack_channel() -> None:
    text = alerts.alert(replace(_INCIDENT, message="it said <!channel> & <b>"), _SETTINGS)["text"]
    assert "it said &lt;!channel&gt; &amp; &lt;b&gt;" in text
