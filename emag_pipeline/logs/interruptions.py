"""Records of Dagster's console that tell of an interruption: whoever was told to stop has met no error."""

import re

_RAISED = re.compile(
    r"^(?:dagster\._core\.errors\.DagsterExecutionInterruptedError|emag_pipeline\.errors\.Interrupted|KeyboardInterrupt)\b"
)
_AS_AN_ERROR = " - ERROR - "


def shortened(record: str) -> str:
    """A record that an interruption has caused as one line of the level warning, without traceback; others as they are.

    Where a signal found a run says nothing of what is wrong; Dagster's UI has the whole of it.
    """
    first, _, rest = record.partition("\n")
    raised = next((line for line in rest.splitlines() if line.strip()), "")
    if _AS_AN_ERROR not in first or not _RAISED.match(raised):  # an error while an interruption was handled is one
        return record
    said = first.replace(_AS_AN_ERROR, " - WARNING - ", 1).rstrip()
    return f"{said}\n" if "interrupted" in said else f"{said} It was interrupted.\n"
