"""Why this process was told to stop, where that is known: the ledger says it."""

_known: list[str] = []


def note(why: str) -> None:
    """Keep the reason, a clause; the first one counts."""
    _known.append(why)


def words() -> str:
    """The reason, or that there was a signal."""
    return _known[0] if _known else "it was told to stop"
