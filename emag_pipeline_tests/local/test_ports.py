import os
import socket
from collections.abc import Iterator

import pytest

from emag_pipeline.errors import SettingsError
from emag_pipeline.local import ports


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_a_taken_port_names_its_variable_and_who_has_it(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with pytest.raises(SettingsError) as caught:
        ports.require_free(port, "EMAG_UI_PORT", "Dagster's UI")
    assert f"EMAG_UI_PORT is {port}" in caught.value.message
    assert f"process {os.getpid()} " in caught.value.message


def test_a_port_with_fading_connections_is_free(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    client = socket.create_connection(("127.0.0.1", port))
    server, _ = listener.accept()
    server.close()  # the side that closes first keeps the address for a minute
    client.close()
    listener.close()
    ports.require_free(port, "EMAG_UI_PORT", "Dagster's UI")


def test_what_listens_answers(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    assert ports.answers(port)
    listener.close()
    assert not ports.answers(port)
