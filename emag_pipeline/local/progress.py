"""Shows the progress of the accounts in `up` and `sync`: bars in a terminal, lines elsewhere."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from uuid import UUID

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from emag_pipeline import embedded
from emag_pipeline.console import Narrator
from emag_pipeline.databases import with_cause
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.local.words import ended_words, failure_words, pace_words, pages_in_all, progress_words
from emag_pipeline.settings import Settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.account_health import is_stale, published_words
from emag_pipeline.sync.ledger import SyncStatus
from emag_pipeline.sync.status import SyncProgress, account_statuses, sync_progress
from emag_pipeline.wording import age, counted, iso_now

_TERMINAL_INTERVAL_SECONDS = 1.0
_LEAST_BAR, _LONGEST_BAR = 5, 40
#: Spaces between name, bar and text.
_BETWEEN = 2


class ProgressWatch:
    """Reads the ledger and reports changes; to be called every `interval_seconds`.

    An account counts as published while what it published is not stale.
    """

    def __init__(
        self,
        database: Database,
        accounts: Sequence[str],
        narrator: Narrator,
        *,
        interval_seconds: float,
        settings: Settings,
    ) -> None:
        terminal = narrator.is_terminal
        self.interval_seconds = _TERMINAL_INTERVAL_SECONDS if terminal else interval_seconds
        self._database = database
        self._accounts = list(accounts)
        self._say = narrator.say
        self._view = _Bars(narrator) if terminal else _Lines(narrator)
        self._settings = settings
        self._waiting = set(accounts)
        self._reported: dict[str, tuple[object, ...]] = {}
        self._outages = Outages(settings, narrator.say, is_watched=True)

    def look(self) -> None:
        """Show what has changed since the last call. An unreachable database is reported once."""
        with self._outages.reported():
            newest = [sync for account in self._accounts if (sync := sync_progress(self._database, account))]
            for sync in newest:
                self._tell(sync)
            self._view.show([sync for sync in newest if sync.status is SyncStatus.RUNNING])

    def end(self) -> None:
        """Remove the bars."""
        self._view.show([])

    def _tell(self, sync: SyncProgress) -> None:
        state = (sync.sync_id, sync.attempt, sync.status)
        if self._reported.get(sync.account) == state:
            return
        self._reported[sync.account] = state
        if sync.status is SyncStatus.COMPLETED:
            self._published(sync.account)
        elif sync.status is not SyncStatus.RUNNING:
            ended = ended_words(sync.account, sync.sync_id, sync.status, sync.error_message or "")
            self._say(f"{sync.account}: the {failure_words(ended, sync.error_remedy or '')}")

    def _published(self, account: str) -> None:
        status = account_statuses(self._database, [account])[0]
        self._say(
            f"{account}: {published_words(status)}, {counted(status.offers, 'offer')}, {status.saleable:,} saleable"
        )
        if not is_stale(status, self._settings) and account in self._waiting:
            self._waiting.discard(account)
            if not self._waiting:
                self._say("all accounts are published")


class Outages:
    """Reports once that the database is unreachable, and why, and once that it responds again.

    `is_watched`: an `EmbeddedWatch` reports that the embedded server is not running.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None], *, is_watched: bool = False) -> None:
        self._settings = settings
        self._say = say
        self._is_watched = is_watched and settings.uses_embedded_database
        self._away_since: float | None = None

    @contextmanager
    def reported(self) -> Iterator[None]:
        """In this context an unreachable database is reported, not raised."""
        try:
            yield
        except DatabaseUnavailable as error:
            if self._away_since is None and not self._is_reported():
                self._away_since = time.monotonic()
                self._say(f"the database is away since {iso_now()}: {with_cause(self._settings, error).message}")
            return
        if self._away_since is not None:
            self._say(f"the database answers again, after {age(time.monotonic() - self._away_since)}")
            self._away_since = None

    def _is_reported(self) -> bool:
        return self._is_watched and embedded.running(self._settings.home) is None


@contextmanager
def view_on(narrator: Narrator, interval_seconds: float) -> Iterator["_Bars | _Lines"]:
    """The view of running syncs: bars in a terminal, else one line per interval and one for each new phase."""
    view = _Bars(narrator) if narrator.is_terminal else _Lines(narrator, interval_seconds)
    try:
        yield view
    finally:
        view.show([])


class _Resumes:
    """Reports once per resumed attempt how old the pages of the earlier attempt are, or that they are lost."""

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator
        self._reported: set[tuple[UUID, int]] = set()
        #: by run, with its largest number of pages done
        self._syncs: dict[str | None, tuple[UUID, int]] = {}

    def tell(self, syncs: Sequence[SyncProgress]) -> None:
        for sync in syncs:
            former, pages = self._syncs.get(sync.dagster_run_id, (sync.sync_id, 0))
            if former != sync.sync_id:
                why = "the pages that were read are lost" if pages else "no page had been read yet"
                self._narrator.say(f"{sync.account}: starting from the first page: {why}")
                pages = 0
            self._syncs[sync.dagster_run_id] = (sync.sync_id, max(pages, sync.pages_done))
            attempt = (sync.sync_id, sync.attempt)
            if sync.attempt > 1 and sync.oldest_page_seconds is not None and attempt not in self._reported:
                self._reported.add(attempt)
                self._narrator.say(f"{sync.account}: resuming with pages read {age(sync.oldest_page_seconds)} ago")


class _Lines:
    """Prints a line for each running sync that has made progress, at most one per interval and phase."""

    def __init__(self, narrator: Narrator, interval_seconds: float = 0.0) -> None:
        self._narrator = narrator
        self._interval_seconds = interval_seconds
        self._last: dict[str, tuple[str, str, float]] = {}
        self._resumes = _Resumes(narrator)

    def show(self, running: Sequence[SyncProgress]) -> None:
        self._resumes.tell(running)
        for sync in running:
            phase, text, said_at = self._last.get(sync.account, ("", "", 0.0))
            now_in = (
                "published"
                if sync.status is SyncStatus.COMPLETED
                else f"{sync.phase}{' held up' * bool(sync.obstacle)}"
            )
            new, now = progress_words(sync), time.monotonic()
            if new == text or (now_in == phase and now - said_at < self._interval_seconds):
                continue
            self._last[sync.account] = (now_in, new, now)
            self._narrator.say(f"{sync.account}: {words_of(sync)}")


def words_of(sync: SyncProgress) -> str:
    """Progress and speed of a sync."""
    return ", ".join(filter(None, (progress_words(sync), pace_words(sync))))


def _fitting(sync: SyncProgress, room: int) -> str:
    """Progress and speed of a sync, shortened to the given width."""
    whole, far = words_of(sync), progress_words(sync)
    if len(whole) <= room:
        return whole
    return far if len(far) <= room else f"{far[: max(0, room - 1)]}…"


class _Bars:
    """Shows a bar for each running sync, and nothing when none is running."""

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator
        self._progress: Progress | None = None
        self._bar = BarColumn()
        self._tasks: dict[str, TaskID] = {}
        self._resumes = _Resumes(narrator)

    def show(self, running: Sequence[SyncProgress]) -> None:
        self._resumes.tell(running)
        with suppress(OSError):  # the terminal was closed
            if running:
                self._draw(self._progress or self._open(), running)
            else:
                self._close()

    def _draw(self, progress: Progress, running: Sequence[SyncProgress]) -> None:
        """Draw the bars. If a line is too long, the bar is shortened, then the speed is omitted; the name stays."""
        room = self._narrator.width - max(len(sync.account) for sync in running) - _BETWEEN - _LEAST_BAR
        words = {sync.account: _fitting(sync, room) for sync in running}
        self._bar.bar_width = min(_LONGEST_BAR, room + _LEAST_BAR - max(map(len, words.values())))
        for account in self._tasks.keys() - {sync.account for sync in running}:
            progress.remove_task(self._tasks.pop(account))
        for sync in running:
            if sync.account not in self._tasks:
                self._tasks[sync.account] = progress.add_task(sync.account, total=None, words="")
            task = self._tasks[sync.account]
            total = None if sync.pages_expected is None else pages_in_all(sync)
            progress.update(task, total=total, completed=sync.pages_done, words=words[sync.account])
        progress.refresh()

    def _open(self) -> Progress:
        columns = (TextColumn("{task.description}"), self._bar, TextColumn("{task.fields[words]}", markup=False))
        self._progress = Progress(*columns, console=self._narrator, transient=True, auto_refresh=False)
        self._progress.start()
        return self._progress

    def _close(self) -> None:
        if self._progress is not None:
            self._progress.stop()
        self._progress = None
        self._tasks.clear()
