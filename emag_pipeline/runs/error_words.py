"""What Dagster's errors say: the one that was raised, not those around it, nor what gRPC says of a call that failed."""

import re

from dagster_shared.error import SerializableErrorInfo

from emag_pipeline.gist import gist

#: Of a code server that is gone, frozen or being started again; beneath them is nothing but gRPC.
UNREACHABLE = frozenset({"DagsterUserCodeUnreachableError", "DagsterUserCodeUnreachableTimeoutError"})
_STATUS = re.compile(r"gRPC Error code: (\w+)")


def innermost(error: SerializableErrorInfo) -> SerializableErrorInfo:
    """What was raised, without the errors that Dagster wraps around it."""
    while error.cause is not None and (error.cls_name not in UNREACHABLE or error.cause.cls_name in UNREACHABLE):
        error = error.cause
    return error


def said(error: SerializableErrorInfo) -> str:
    """The innermost error in one line."""
    found = innermost(error)
    if found.cls_name not in UNREACHABLE:
        return gist(found.message)
    status = _STATUS.search(found.message)
    how = f" (gRPC {status[1]})" if status else ""
    return f"the code server could not be reached{how}: it was ended, does not answer or is being started again"
