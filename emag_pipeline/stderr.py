"""What is said to a person beside the output. Where nobody hears it, nothing is wrong."""

import sys
from contextlib import suppress


def tell(text: str) -> None:
    """Say a sentence, of which it is said who says it."""
    write_line(f"emag-pipeline: {text}")


def write_line(text: str) -> None:
    """Write to the standard error, where there is one: a shell's `2>&-` closes it."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{text}\n")
