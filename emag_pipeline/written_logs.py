"""Where a program's own words can be read: named only where there are some."""

from pathlib import Path


def size(log: Path) -> int:
    """Its bytes; 0 where there is no such file, or none that may be looked at."""
    try:
        return log.stat().st_size
    except OSError:
        return 0


def see(words: str, log: Path, since_bytes: int = 0) -> str:
    """The words, with the log's name for `{log}`, if it holds more than so many bytes; empty where it does not."""
    return words.format(log=log) if size(log) > since_bytes else ""
