"""Messages as the document shows them: `…` stands for what differs from run to run."""

import re


def is_said(message: str, said: str) -> bool:
    """Whether the message was said, in which `…` stands for any text."""
    return re.fullmatch(".*".join(map(re.escape, message.split("…"))), said, re.DOTALL) is not None
