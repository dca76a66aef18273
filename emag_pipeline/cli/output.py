"""Standard output and error as they are: of another encoding than UTF-8, full, or left by their reader."""

import codecs
import contextlib
import errno
import os
import sys
from io import TextIOWrapper

from emag_pipeline.errors import PermanentError, PipelineError, TransientError, passes

_PLAINLY = "emag_plainly"
#: Signs of ours, for terminals that have no better.
_SIGNS = {"✓": "+", "✗": "x", "▲": "^", "▼": "v", "━": "-", "╸": "-", "╺": "-"}


def adapt() -> None:
    """Let no text fail for its letters: what the encoding lacks is written as JSON writes it, e.g. `\\u0219`."""
    codecs.register_error(_PLAINLY, _plainly)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=_PLAINLY)


def flush() -> None:
    """Write what waits. Raises OSError when the output takes no more, which Python would tell at its own end."""
    if sys.stdout is not None:
        sys.stdout.flush()


def failure(error: OSError) -> PipelineError | None:
    """What a failed write of the output, or of a file that nobody looked after, means; None for any other error."""
    if error.errno not in (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.EPIPE,
    ):
        return None
    what = f"{error.filename} cannot be used" if error.filename else "the output cannot be written"
    kind = TransientError if passes(error) else PermanentError
    return kind(what, why=error.strerror or str(error), remedy="Make room or correct its rights, and begin again")


def fall_silent() -> None:
    """Nothing that still waits can be written: Python's own flush at the end must not meet the error again."""
    with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_sign, error.object[error.start : error.end])), error.end


def _sign(letter: str) -> str:
    if letter in _SIGNS:
        return _SIGNS[letter]
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
