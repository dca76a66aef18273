"""Who works on a sync: a Dagster run of some instance, in a process of some machine. And what proves that nobody does.

Not knowing is no proof: another installation on the same database has a Dagster that knows other runs, and one that
was restored or emptied knows none. Silence proves it, a process that is gone, a run that is known to have ended.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emag_pipeline.processes import ProcessMark, own_mark
from emag_pipeline.store import Row

#: The ledger's columns that tell a process; `process_of` makes one of them.
PROCESS = "host, boot_id, namespaces, process_id, process_start_ticks"


@dataclass(frozen=True, slots=True)
class Owner:
    """A Dagster run and the process that executes it. Without an instance's id the run is nobody's to judge."""

    run_id: str
    dagster_instance_id: str | None
    process: ProcessMark

    @classmethod
    def here(cls, run_id: str, dagster_instance_id: str | None) -> "Owner":
        """The run in this process."""
        return cls(run_id, dagster_instance_id, own_mark())

    @property
    def columns(self) -> dict[str, Any]:
        """What the ledger keeps of it, by column."""
        return {
            "dagster_run_id": self.run_id,
            "dagster_instance_id": self.dagster_instance_id,
            "host": self.process.host,
            "boot_id": self.process.boot_id,
            "namespaces": self.process.namespaces,
            "process_id": self.process.process_id,
            "process_start_ticks": self.process.start_ticks,
        }


def process_of(row: Row[Any]) -> ProcessMark | None:
    """The process of a ledger's row, None where a version before this one has written it."""
    if row.process_id is None:
        return None
    return ProcessMark(row.host, row.process_id, row.boot_id, row.namespaces, row.process_start_ticks)


def gone_words(process: ProcessMark) -> str:
    """Why its sync is dead, in a clause."""
    return f"its process {process.process_id} on {process.host} is gone"


def death(row: Row[Any], asking: Owner, bound_seconds: float, run_has_ended: Callable[[str], bool]) -> str | None:
    """What proves that nobody works on a running sync any more, in a clause; None when nothing does.

    `row` has the columns of PROCESS, the run, its instance and `silent_seconds`. `run_has_ended` says of a run of the
    asking instance whether it is known to be over: of another instance's run, a copy may be known here that proves
    nothing.
    """
    if row.silent_seconds > bound_seconds:
        return f"no heartbeat for {row.silent_seconds:.0f} s, the bound is {bound_seconds:g} s"
    if row.dagster_run_id == asking.run_id:
        return "the same Dagster run began again without having recorded its end"
    process = process_of(row)
    if process is not None and process.is_gone:
        return gone_words(process)
    is_ours = row.dagster_instance_id == asking.dagster_instance_id
    if is_ours and row.dagster_run_id is not None and run_has_ended(row.dagster_run_id):
        return f"Dagster run {row.dagster_run_id} has ended without recording it"
    return None
