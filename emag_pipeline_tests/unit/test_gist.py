import pytest

from emag_pipeline.wording import gist

_CALL = """grpc._channel._InactiveRpcError: <_InactiveRpcError of RPC that terminated with:
\tstatus = StatusCode.UNAVAILABLE
\tdetails = "failed to connect to all addresses; last error: UNKNOWN: unix:/tmp/x/code: No such file or directory"
\tdebug_error_string = "UNKNOWN:Error received from peer {grpc_status:14}"
>
"""
_ADDRESSES = """connection to server at "localhost" (::1), port 5432 failed: Connection refused
\tIs the server running on that host and accepting TCP/IP connections?
connection to server at "localhost" (127.0.0.1), port 5432 failed: FATAL:  password authentication failed for user "me"
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ""),
        ("one.\ntwo", "one"),
        ("Error in config:\n\n  Error 1: none is given.\n  Error 2", "Error in config: Error 1: none is given"),
        ("nothing follows:", "nothing follows"),
        (
            _CALL,
            "gRPC UNAVAILABLE: failed to connect to all addresses; last error: UNKNOWN: unix:/tmp/x/code: No such file "
            "or directory",
        ),
        (
            _ADDRESSES,
            'connection to server at "localhost" (::1), port 5432 failed: Connection refused; connection to server at '
            '"localhost" (127.0.0.1), port 5432 failed: FATAL:  password authentication failed for user "me"',
        ),
    ],
)
def test_a_text_of_several_lines_says_its_cause_in_one(text: str, said: str) -> None:
    assert gist(text) == said
