"""What an emergency stop did or would do, in a line for each account."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from emag_pipeline.db.liveness import RunningSync
from emag_pipeline.durations import age
from emag_pipeline.operations.stopping import Stopped, UnderWay
from emag_pipeline.plurals import counted
from emag_pipeline.runs.daemon import SILENT_SECONDS

_GO_ON = "schedules and sensors go on and start runs when they are due"


def stopped_lines(stopped: Stopped, accounts: Sequence[str]) -> list[str]:
    """A line for each account, for runs of no account, for strays; and what happens next."""
    said: dict[str, list[str]] = defaultdict(list)
    for run in stopped.runs:
        said[run.account or run.job].append(f"run {run.run_id} is {_word(run.status)}, {run.fate}")
    for sync in stopped.released:
        said[sync.account].append(f"lease released, {_pages(sync)}")
    for sync in stopped.held:
        said[sync.account].append("LEASE STILL HELD: its row is being written by a process that could not be reached")
    return [*_lines(said, accounts, _nothing("was", stopped.unreached)), *_rest(stopped), _next(stopped)]


def under_way_lines(found: UnderWay, accounts: Sequence[str]) -> list[str]:
    """What would be ended, a line for each account, and how many processes are at work."""
    said: dict[str, list[str]] = defaultdict(list)
    for run in found.runs:
        said[run.account or run.job].append(f"run {run.run_id}, {_word(run.status)}, would be cancelled")
    for sync in found.syncs:
        said[sync.account].append(f"lease would be released, {_pages(sync)}")
    processes = f"processes of runs on this machine: {found.processes}"
    return [*_lines(said, accounts, _nothing("is", found.unreached)), processes]


def _nothing(was: str, unreached: Sequence[str]) -> str:
    return f"nothing {was} under way, as far as could be seen" if unreached else f"nothing {was} under way"


def _lines(said: Mapping[str, Sequence[str]], accounts: Sequence[str], nothing: str) -> Iterator[str]:
    for name in dict.fromkeys([*accounts, *said]):
        yield f"{name}: {'; '.join(said.get(name, [nothing]))}"


def _rest(stopped: Stopped) -> Iterable[str]:
    if stopped.strays:
        yield f"processes that no run told of: {stopped.strays}, ended"
    if stopped.backfills:
        yield f"backfills: {stopped.backfills}, cancelled"


def _next(stopped: Stopped) -> str:
    """What may start runs from now on."""
    if stopped.up is not None:
        return f"{_GO_ON}: stop `emag-pipeline up` (process {stopped.up.pid}) to keep everything still"
    silence = stopped.daemon_silence_seconds
    if silence is not None and silence <= SILENT_SECONDS:
        return f"{_GO_ON}: Dagster's daemon was heard {age(silence)} ago; stop it to keep everything still"
    if stopped.is_daemon_unseen:
        unseen = "it could not be seen whether Dagster's daemon runs"
        return f"{unseen}: if it does, {_GO_ON}; stop it to keep everything still"
    seen = ", as far as could be seen" if stopped.unreached else ""
    return f"neither `emag-pipeline up` nor Dagster's daemon runs{seen}: nothing is started by itself"


def _pages(sync: RunningSync) -> str:
    in_all = max(sync.pages_expected, sync.pages_left) if sync.pages_expected else None
    expected = counted(in_all, "page") if in_all else "? pages"
    return f"{sync.pages_left:,} of {expected} {'is' if in_all == 1 else 'are'} durable"


def _word(status: str) -> str:
    """Dagster's word for a status, as one reads it."""
    return {"CANCELED": "cancelled", "NOT_STARTED": "not started"}.get(status, status.lower())
