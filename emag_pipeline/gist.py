"""What a text of several lines, or of a value without end, says in one: of an error the line that holds the cause."""

import re

#: How gRPC writes down a call that failed: its first line says no more than that one did.
_GRPC = re.compile(r'status = StatusCode\.(\w+)\s+details = "(.*?)"\s*$', re.MULTILINE | re.DOTALL)
#: libpq has a line for each address that it tried.
_ADDRESS = "connection to server "
#: Whose last line at the margin is the error.
_TRACEBACK = "Traceback (most recent call last):"
#: of a value that somebody has set
_LONGEST_SHOWN = 120


def shortened(value: str) -> str:
    """A value as it is shown: in quotes, and not all of one that has no end."""
    return repr(value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…")


def gist(text: str) -> str:
    """The first line; what follows as well, where that one only announces it by a colon. No closing full stop or colon.

    Of a call over gRPC its status and details; of a connection that was tried at several addresses what each has said.
    Empty for an empty text.
    """
    call = _GRPC.search(text)
    if call is not None:
        return f"gRPC {call[1]}: {' '.join(call[2].split())}".rstrip(".: ")
    if text.startswith(_TRACEBACK):
        text = [line for line in text.splitlines() if line.strip() and not line[0].isspace()][-1]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    tried = dict.fromkeys(line for line in lines if line.startswith(_ADDRESS))
    if len(tried) > 1 and lines[0] in tried:
        return "; ".join(line.rstrip(".") for line in tried)
    said = "".join(lines[:1])
    for line in lines[1:]:
        if not said.endswith(":"):
            break
        said = f"{said} {line}"
    return said.rstrip(".: ")
