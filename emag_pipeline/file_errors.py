"""What a failed system call on a file means: may it pass by itself, or must a person do something?"""

import errno

from emag_pipeline.errors import PermanentError, PipelineError, SettingsError, TransientError

#: The machine lacks something at the moment: room on the disk, memory, open files.
_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN}


def passes(error: OSError) -> bool:
    """Whether the same call may succeed later although nobody changed any setting or right."""
    return error.errno in _PASSING


def of_os_error(error: OSError, what: str, *, where: str = "", remedy: str, wrong: bool = False) -> PipelineError:
    """The error to raise: TransientError where room or memory ran out, else PermanentError (SettingsError if `wrong`).

    `remedy` is for the latter; `wrong` says that the path was a person's choice.
    """
    why = error.strerror or str(error)
    if passes(error):
        return TransientError(what, where=where, why=why, remedy="Make room; what was under way goes on then")
    kind = SettingsError if wrong else PermanentError
    return kind(what, where=where, why=why, remedy=remedy)
