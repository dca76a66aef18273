"""Keeps programs running: starts them in order, restarts those that die, stops them in the order that loses least."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import psutil

from emag_pipeline import processes, running_up, wording
from emag_pipeline.local.child import Child, Program, keep_small, set_aside
from emag_pipeline.local.stop_signals import StopSignals
from emag_pipeline.settings.home import directory

_MOST_DEATHS = 5
_DEATHS_WITHIN_SECONDS = 600.0
_EXCUSED_SECONDS = 5.0
#: Enough for a run to record in the ledger and in Dagster that it was interrupted.
_RUNS_SECONDS = 10.0
_DAEMON_SECONDS = 5.0
#: Short: these have no state to save, and code servers would wait for each other to end.
_SERVER_SECONDS = 2.0


class Supervisor:
    """The programs of one home. `say` receives messages."""

    def __init__(
        self, home: Path, environment: Mapping[str, str], signals: StopSignals, say: Callable[[str], None]
    ) -> None:
        self._home = home
        self._environment = {**environment, **running_up.mark(home)}
        self._logs = directory(home, "logs")
        self._signals = signals
        self._say = say
        self._children: dict[str, Child] = {}
        self._stopped: set[str] = set()
        self._deaths: defaultdict[str, deque[float]] = defaultdict(deque)

    def start(self, program: Program) -> None:
        """Start a program and wait until it is ready. The log of its previous start is rotated.

        Raises the errors of `Child.await_ready`; Interrupted after a signal.
        """
        self._signals.check()
        set_aside(self._logs / f"{program.name}.log")
        self._launch(program).await_ready(self._signals.wait)

    def repair(self, are_excused: Callable[[], bool] = lambda: False) -> bool:
        """Restart dead programs, report stopped ones, keep the logs small. Returns whether anything was restarted.

        Raises TransientError if a program dies repeatedly. A death does not count while `are_excused` returns True,
        because something that the programs need is missing.
        """
        restarted = False
        for name, child in list(self._children.items()):
            keep_small(child.log)
            how = child.died()
            if how is None:
                self._tell_stopped(child)
                continue
            self._stopped.discard(name)
            is_excused = are_excused()
            if not is_excused and self._dies_too_often(name):
                raise child.broken(f"{how}, for the {_MOST_DEATHS}th time in ten minutes")
            self._say(f"{name} {how}; restarting it{wording.see(' (log: {log})', child.log)}")
            self._signals.wait(_EXCUSED_SECONDS if is_excused else len(self._deaths[name]) / 2)
            self._launch(child.program)
            restarted = True
        return restarted

    def stop(self) -> None:
        """End every process of the home: daemon, runs, servers and exporter, sandbox. None is left when this returns.

        The daemon is stopped first so that no new run starts; the rest keeps running until the runs have recorded how
        they ended.
        """
        self._end("the daemon", self._running("daemon"), _DAEMON_SECONDS)
        self._end("running syncs", filter(processes.is_worker, running_up.members(self._home)), _RUNS_SECONDS)
        sandbox = self._running("sandbox")
        others = [member for member in running_up.members(self._home) if member not in sandbox]
        self._end("the webserver, code servers and exporter", others, _SERVER_SECONDS)
        self._end("the sandbox", sandbox, _SERVER_SECONDS)
        processes.kill(running_up.members(self._home))
        for child in self._children.values():
            child.process.wait()

    def _launch(self, program: Program) -> Child:
        child = self._children[program.name] = Child(program, self._environment, self._logs)
        return child

    def _tell_stopped(self, child: Child) -> None:
        """Report once that a program was stopped (SIGSTOP), which causes no error, and once that it runs on."""
        name, pid = child.program.name, child.process.pid
        if child.is_stopped and name not in self._stopped:
            self._stopped.add(name)
            lets = f"`kill -CONT {pid}` resumes it; after `kill -KILL {pid}`, `up` restarts it"
            self._say(f"{name} (process {pid}) is suspended (SIGSTOP) and does not respond: {lets}")
        elif not child.is_stopped and name in self._stopped:
            self._stopped.discard(name)
            self._say(f"{name} is running again")

    def _dies_too_often(self, name: str) -> bool:
        deaths, now = self._deaths[name], time.monotonic()
        deaths.append(now)
        while deaths[0] < now - _DEATHS_WITHIN_SECONDS:
            deaths.popleft()
        return len(deaths) >= _MOST_DEATHS

    def _running(self, name: str) -> list[psutil.Process]:
        child = self._children.get(name)
        return [one for one in running_up.members(self._home) if child is not None and one.pid == child.process.pid]

    def _end(self, what: str, found: Iterable[psutil.Process], seconds: float) -> None:
        if ending := list(found):
            self._say(f"stopping {what}")
            processes.kill(processes.end(ending, seconds, self._signals.hurried))


def end_left_behind(home: Path) -> int:
    """End the processes that a killed `up` has left running; returns how many. Only for the home's `up`."""
    left = running_up.members(home)
    processes.kill(processes.end(left, _RUNS_SECONDS))
    return len(left)
