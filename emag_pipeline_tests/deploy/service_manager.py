"""`systemctl` for tests: reads the installed units and runs their ExecStart below a prefix, as systemd would.

It knows what our units use: Environment, EnvironmentFile, ExecStart, drop-ins of a name's prefix; a stop sends SIGTERM
to every process of the unit at once (KillMode=control-group). Its directory, EMAG_TEST_SYSTEMD, holds a log of the
calls, and a process group and a log for each unit. Where a file `idle` is in it, only the exporter's unit runs what it
says; a file `refuse` makes the next start fail.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

_PREFIX, _STATE = Path(os.environ["EMAG_TEST_PREFIX"]), Path(os.environ["EMAG_TEST_SYSTEMD"])
_PLACES = ("/opt/emag-pipeline", "/etc/emag-pipeline", "/var/lib/emag-pipeline")


def main() -> int:
    verb, units = sys.argv[1], [name for name in sys.argv[2:] if name.endswith(".service")]
    with (_STATE / "calls").open("a") as file:
        file.write(" ".join(sys.argv[1:]) + "\n")
    if verb == "--version":
        sys.stdout.write("systemd 252 (stand-in)\n")
    elif verb == "is-active":
        alive = all(_members(unit) for unit in units)
        sys.stdout.write("active\n" if alive else "inactive\n")
        return 0 if alive else 3
    if verb == "start" and (_STATE / "refuse").exists():
        (_STATE / "refuse").unlink()
        sys.stderr.write("Job for emag-pipeline-daemon.service failed.\n")
        return 1
    for unit in units:
        if verb == "start" and not _members(unit):
            _start(unit)
        elif verb == "stop":
            _stop(unit)
    return 0


def _start(unit: str) -> None:
    lines = _lines(unit)
    environment = _environment(lines)
    command = _expanded(_value(lines, "ExecStart"), environment).split()
    if (_STATE / "idle").exists() and "exporter" not in unit:
        command = ["sleep", "1000"]
    with (_STATE / f"{unit}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=_PREFIX / "var/lib/emag-pipeline",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (_STATE / f"{unit}.group").write_text(str(process.pid))
    after = [line for line in lines if line.startswith("ExecStartPost=")]
    if after and command[0] != "sleep":
        shell = _expanded(after[0].split("-c '")[1].rstrip("'"), environment)
        subprocess.run(["sh", "-c", shell], env=environment, check=True, timeout=120, stdout=subprocess.DEVNULL)


def _stop(unit: str) -> None:
    members = _members(unit)
    for member in members:
        member.send_signal(signal.SIGTERM)
    until = time.monotonic() + float(_value(_lines(unit), "TimeoutStopSec"))
    while (left := _members(unit)) and time.monotonic() < until:
        time.sleep(0.05)
    with (_STATE / "killed").open("a") as file:
        for member in left:
            file.write(f"{unit}: {member.cmdline()}\n")
            member.kill()


def _members(unit: str) -> list[psutil.Process]:
    """The living processes of a unit's group."""
    file = _STATE / f"{unit}.group"
    if not file.exists():
        return []
    group, found = int(file.read_text()), []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.Error):
            continue
    return found


def _lines(unit: str) -> list[str]:
    directory = _PREFIX / "etc/systemd/system"
    files = [*sorted((directory / "emag-pipeline-.service.d").glob("*.conf")), directory / unit]
    return [line.strip() for file in files for line in file.read_text().splitlines()]


def _environment(lines: list[str]) -> dict[str, str]:
    found = {"PATH": os.environ["PATH"]}
    for line in lines:
        if line.startswith("Environment="):
            found.update(_below(word).split("=", 1) for word in line.removeprefix("Environment=").split())
    for line in Path(_below(_value(lines, "EnvironmentFile"))).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found[name] = value.strip("'")
    return found


def _value(lines: list[str], name: str) -> str:
    return next(line for line in reversed(lines) if line.startswith(f"{name}=")).removeprefix(f"{name}=")


def _expanded(text: str, environment: dict[str, str]) -> str:
    for name, value in environment.items():
        text = text.replace(f"${{{name}}}", value)
    return _below(text)


def _below(text: str) -> str:
    for place in _PLACES:
        text = text.replace(place, f"{_PREFIX}{place}")
    return text


if __name__ == "__main__":
    sys.exit(main())
