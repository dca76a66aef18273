"""Standard output and error under all conditions: an encoding other than UTF-8, a full disk, a closed pipe."""

import codecs
import contextlib
import errno
import os
import sys
from io import TextIOWrapper

from emag_pipeline.errors import PermanentError, PipelineError, TransientError, passes

_PLAINLY = "emag_plainly"
#: Our own symbols in ASCII, for encodings that lack them.
_SIGNS = {"✓": "+", "✗": "x", "▲": "^", "▼": "v", "━": "-", "╸": "-", "╺": "-"}


def adapt() -> None:
    """Write characters that the encoding lacks as JSON escapes, e.g. `\\u0219`, instead of failing."""
    codecs.register_error(_PLAINLY, _plainly)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=_PLAINLY)


def flush() -> None:
    """Write what is buffered. Raises OSError here, where it can be reported, and not when Python exits."""
    if sys.stdout is not None:
        sys.stdout.flush()


def failure(error: OSError) -> PipelineError | None:
    """What a failed write of the output, or of a file without error handling of its own, means; else None."""
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
    return kind(
        what,
        why=error.strerror or str(error),
        remedy="Free disk space or correct its permissions, and run the command again",
    )


def fall_silent() -> None:
    """Discard what is buffered, so that Python's own flush at exit does not fail again."""
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
