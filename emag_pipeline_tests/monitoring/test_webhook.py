import socket
import time

import pytest
from pydantic import SecretStr

from emag_pipeline.monitoring import outbox
from emag_pipeline_tests.monitoring.receiver import SECRET, Behaviour, Receiver


def test_a_document_arrives_as_json() -> None:
    with Receiver() as receiver:
        assert outbox.post(receiver.url, {"text": "ăîșț <&>"}) == ""
    assert receiver.taken == [{"text": "ăîșț <&>"}]


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("refuses", "the answer was HTTP 500"),
        ("redirects", "the answer was HTTP 302"),
        ("hangs up", "it cannot be reached (RemoteDisconnected)"),
    ],
)
def test_what_is_not_taken_is_said_in_a_few_words(behaviour: Behaviour, said: str) -> None:
    with Receiver(behaviour) as receiver:
        assert outbox.post(receiver.url, {"text": "x"}) == said
    assert receiver.asked == 1


@pytest.mark.parametrize("behaviour", ["hangs", "dribbles"])
def test_the_time_limit_is_that_of_the_whole_call(behaviour: Behaviour) -> None:
    began = time.monotonic()
    with Receiver(behaviour) as receiver:
        said = outbox.post(receiver.url, {"text": "x"}, deadline_seconds=0.5)
    assert said in ("no answer within 0.5 seconds", "it cannot be reached (TimeoutError)")
    assert time.monotonic() - began < 10


def _closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}/services/{SECRET}"


@pytest.mark.parametrize(
    "url",
    ["", f"http://[{SECRET}", f"https://u:{SECRET}@", f"http://{SECRET}:x"],
    ids=["nobody listens", "no address", "no host", "no port"],
)
def test_a_url_that_leads_nowhere_does_no_harm_and_is_not_told(url: str) -> None:
    said = outbox.post(SecretStr(url or _closed_port()), {"text": "x"})
    assert said.startswith("it cannot be reached (")
    assert SECRET not in said


def test_no_file_is_opened() -> None:
    assert outbox.post(SecretStr(f"file:///{SECRET}"), {}) == "it is not an http:// or https:// address"
