"""Refusals because of who calls, in the words and forms that were seen.

Source: docs/marketplace-api.md, "Errors and refusals".
"""

from emag_pipeline.sandbox.answers import HTML, Answer, plain
from emag_pipeline.sandbox.faults import Fault

#: also what a stranger is told
NOT_ALLOWED = "You are not allowed to use this API"
_WORDS = {
    "wrong_credentials": "Invalid username or password",
    "ip_not_whitelisted": "The IP {peer} is not whitelisted for this user",
    "invalid_ip": "Invalid vendor ip [{peer}]",
    "not_allowed": NOT_ALLOWED,
}


def answer(fault: Fault, peer: str) -> Answer:
    """What a caller at this address is told, in the fault's form and with its status."""
    words = fault.options["message"] or _WORDS[fault.kind].format(peer=peer)
    status = int(fault.options["status"])
    match fault.options["form"]:
        case "bare":
            return Answer(status, b"", "text/html; charset=utf-8")
        case "html":
            return Answer(status, HTML, "text/html; charset=utf-8")
        case "errors":
            said: dict[str, object] = {"messages": [], "errors": [{"message": words}]}
        case "objects":
            said = {"messages": [{"type": "error", "text": words}]}
        case _:
            said = {"messages": [words]}
    return plain(status, {"isError": True, **said, "results": []})
