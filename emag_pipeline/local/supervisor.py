"""Keep programs running: start in order, restart what dies, stop in the order that loses least."""

import os
import subprocess
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from emag_pipeline import wording
from emag_pipeline.errors import TransientError
from emag_pipeline.local import log_files, process_group
from emag_pipeline.local.programs import Program
from emag_pipeline.local.stop_signals import StopSignals
from emag_pipeline.processes import is_stopped
from emag_pipeline.settings.home import directory
from emag_pipeline.wording import counted

# Is this machine so busy that what lives may not answer in time?


def busy_words() -> str:
    """That this machine is busy, in numbers; empty when it is not."""
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    return f"this machine is busy (load {load:.1f} on {counted(processors, 'processor')})" if load > processors else ""


# A program running as a child: in a session of its own, its output in a file.


class Child:
    """Starts at construction. Ctrl-C in the terminal reaches the supervisor only, which then decides the order."""

    def __init__(self, program: Program, environment: Mapping[str, str], logs: Path) -> None:
        self.program = program
        self.log = logs / f"{program.name}.log"
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                program.command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, which is also its session's."""
        return self.process.pid

    def died(self) -> str | None:
        """How it ended, in words; None while it lives."""
        code = self.process.poll()
        if code is None:
            return None
        return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"

    @property
    def is_stopped(self) -> bool:
        """Whether it lives and does nothing, by SIGSTOP or a debugger."""
        try:
            return is_stopped(psutil.Process(self.pid))
        except psutil.NoSuchProcess:
            return False


#: how long a program may need to be ready
START_SECONDS = 120.0
_MOST_DEATHS = 5
_DEATHS_WITHIN_SECONDS = 600.0
_EXCUSED_SECONDS = 5.0
#: Enough for a run to tell the ledger and Dagster that it was interrupted.
_RUNS_SECONDS = 10.0
_DAEMON_SECONDS = 5.0
#: These have nothing to lose; code servers would wait for each other's farewells.
_SERVER_SECONDS = 2.0


class Supervisor:
    """The programs of one home. `say` hears what happens."""

    def __init__(
        self, home: Path, environment: Mapping[str, str], signals: StopSignals, say: Callable[[str], None]
    ) -> None:
        self._home = home
        self._environment = {**environment, **process_group.mark(home)}
        self._logs = directory(home, "logs")
        self._signals = signals
        self._say = say
        self._children: dict[str, Child] = {}
        self._stopped: set[str] = set()
        self._deaths: defaultdict[str, deque[float]] = defaultdict(deque)

    def start(self, program: Program) -> None:
        """Start a program and wait until it is ready. Its log of the start before is set aside.

        Raises TransientError when it dies, with its last words, or is not ready in time, with the errors of its log if
        there are any; Interrupted on a signal.
        """
        self._signals.check()
        log_files.set_aside(self._logs / f"{program.name}.log")
        child = self._children[program.name] = self._launch(program)
        until = time.monotonic() + START_SECONDS
        while not program.is_ready():
            how = child.died()
            if how or time.monotonic() > until:
                raise _broken(child, how) if how else _not_ready(child)
            self._signals.wait(0.2)

    def mend(self, are_excused: Callable[[], bool] = lambda: False) -> bool:
        """Restart what has died, say what was stopped, and keep the logs small. Returns whether anything was restarted.

        Raises TransientError when a program dies again and again. `are_excused` is asked at a death, which does not
        count then: what the programs need is away.
        """
        restarted = False
        for name, child in self._children.items():
            log_files.keep_small(child.log)
            how = child.died()
            if how is None:
                self._tell_stopped(child)
                continue
            self._stopped.discard(name)
            is_excused = are_excused()
            if not is_excused and self._dies_too_often(name):
                raise _broken(child, f"{how}, for the {_MOST_DEATHS}th time in ten minutes")
            self._say(f"{name} {how}; it is started again{wording.see(' (log: {log})', child.log)}")
            self._signals.wait(_EXCUSED_SECONDS if is_excused else len(self._deaths[name]) / 2)
            self._children[name] = self._launch(child.program)
            restarted = True
        return restarted

    def stop(self) -> None:
        """End the family: daemon, runs, servers and exporter, sandbox; nothing is left when this returns.

        The daemon goes first so that no new run starts, the rest stays until the runs have told how they ended.
        """
        self._end("the daemon", self._program("daemon"), _DAEMON_SECONDS)
        self._end("running syncs", process_group.run_workers(process_group.members(self._home)), _RUNS_SECONDS)
        sandbox = self._program("sandbox")
        others = [member for member in process_group.members(self._home) if member not in sandbox]
        self._end("the webserver, code servers and exporter", others, _SERVER_SECONDS)
        self._end("the sandbox", sandbox, _SERVER_SECONDS)
        process_group.kill(process_group.members(self._home))
        for child in self._children.values():
            child.process.wait()

    def _tell_stopped(self, child: Child) -> None:
        """Say once that it was stopped, which no death and no error tells, and once that it goes on."""
        name = child.program.name
        if child.is_stopped and name not in self._stopped:
            self._stopped.add(name)
            lets = f"`kill -CONT {child.pid}` lets it go on, `kill -KILL {child.pid}` has it started again"
            self._say(f"{name} (process {child.pid}) is stopped and answers nobody: {lets}")
        elif not child.is_stopped and name in self._stopped:
            self._stopped.discard(name)
            self._say(f"{name} goes on again")

    def _launch(self, program: Program) -> Child:
        return Child(program, self._environment, self._logs)

    def _dies_too_often(self, name: str) -> bool:
        deaths, now = self._deaths[name], time.monotonic()
        deaths.append(now)
        while deaths[0] < now - _DEATHS_WITHIN_SECONDS:
            deaths.popleft()
        return len(deaths) >= _MOST_DEATHS

    def _program(self, name: str) -> list[psutil.Process]:
        child = self._children.get(name)
        try:
            return [psutil.Process(child.pid)] if child is not None and child.died() is None else []
        except psutil.NoSuchProcess:
            return []

    def _end(self, what: str, processes: list[psutil.Process], seconds: float) -> None:
        if processes:
            self._say(f"stopping {what}")
            process_group.kill(process_group.end(processes, seconds, self._signals.hurried))


def _broken(child: Child, how: str) -> TransientError:
    why = log_files.last_errors(child.log) or log_files.last_lines(child.log)
    remedy = wording.see("Its whole log is {log}", child.log) or "It said nothing; start again"
    return TransientError(f"the {child.program.name} {how}", why=why, remedy=remedy)


def _not_ready(child: Child) -> TransientError:
    """It lives: what it said last is most likely no reason, but what it does."""
    why = log_files.last_errors(child.log)
    again = "start again when this machine is less busy" if busy_words() else "start again"
    remedy = wording.see("look into its log {log}; if that says no more, ", child.log) + again
    return TransientError(
        f"the {child.program.name} is not ready after {START_SECONDS:.0f} s",
        why=why or ": ".join(filter(None, ("its log names no error", busy_words()))),
        remedy=remedy[:1].upper() + remedy[1:],
    )


def end_left_behind(home: Path) -> int:
    """End what an `up` that was killed has left running; returns how many processes. Only for the home's one `up`."""
    left = process_group.members(home)
    process_group.kill(process_group.end(left, _RUNS_SECONDS))
    return len(left)
