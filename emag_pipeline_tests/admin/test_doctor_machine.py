import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline.admin.doctor import Diagnosis, Verdict
from emag_pipeline.admin.doctor.finding import Begun, Examination, Finding, not_examined, ok
from emag_pipeline.admin.doctor.machine import Listener, examine
from emag_pipeline.errors import SettingsError
from emag_pipeline.local import ports
from emag_pipeline.local.programs import sandbox_beside
from emag_pipeline.monitoring import incidents
from emag_pipeline.running_up import MARK
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import load_settings
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.admin.doctors import diagnosed, found
from emag_pipeline_tests.cli.commands import emag_pipeline, environment
from emag_pipeline_tests.local.ups import free_ports
from emag_pipeline_tests.sandbox.test_program import program


def test_a_port_that_another_program_has_is_named_with_its_holder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        finding = found(diagnosed(tmp_path, EMAG_UI_PORT=str(port)), "ports", f"port {port}")
    assert finding.verdict is Verdict.BROKEN
    assert "where Dagster's UI should be, does not answer" in finding.what
    assert f"process {os.getpid()}" in finding.what
    assert "EMAG_UI_PORT" in finding.remedy


def test_another_web_server_on_our_port_is_not_taken_for_ours(tmp_path: Path) -> None:
    with SandboxServer() as other:
        finding = found(diagnosed(tmp_path, EMAG_SYNC_METRICS_PORT=str(other.port)), "ports", f"port {other.port}")
    assert (finding.verdict, "is a different one" in finding.what) == (Verdict.BROKEN, True)


def test_our_own_program_on_its_port_is_well(tmp_path: Path) -> None:
    with SandboxServer() as sandbox:
        finding = found(diagnosed(tmp_path, EMAG_SANDBOX_PORT=str(sandbox.port)), "ports", f"port {sandbox.port}")
    assert (finding.verdict, finding.what) == (Verdict.OK, f"port {sandbox.port}: the sandbox answers")


def test_a_program_of_the_up_in_another_home_is_told_as_that(tmp_path: Path) -> None:
    """Whoever forgot to export EMAG_HOME would take what answers there for his."""
    (port,) = free_ports(1)
    other = tmp_path / "other"
    with program("--port", str(port), **{MARK: str(other)}):
        finding = found(diagnosed(tmp_path / "home", EMAG_SANDBOX_PORT=str(port)), "ports", f"port {port}")
        assert finding.verdict is Verdict.WARNING
        assert finding.what.endswith(f"the sandbox answers, but it belongs to the `up` in EMAG_HOME {other}")
        with pytest.raises(SettingsError, match=f"of the `up` in EMAG_HOME {other}") as taken:
            ports.require_free(port, "EMAG_SANDBOX_PORT", "the sandbox")
        assert taken.value.remedy.startswith(f"If that one is meant, set EMAG_HOME to {other}; else stop it, or set")


def test_a_sandbox_that_was_stopped_on_its_port_is_told_as_what_it_is(database_url: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with program("--port", str(port)) as (sandbox, _):
        sandbox.send_signal(signal.SIGSTOP)
        who = f"port {port}: the sandbox (process {sandbox.pid}) listens there and is suspended (SIGSTOP)"
        diagnosis = diagnosed(tmp_path, EMAG_SANDBOX_PORT=str(port), DATABASE_SYNC_URL=database_url)
        finding = found(diagnosis, "ports", who)
        assert (finding.verdict, f"`kill -CONT {sandbox.pid}`" in finding.remedy) == (Verdict.BROKEN, True)
        account = found(diagnosis, "account main", "read timeout")
        assert (account.verdict, who.partition(": ")[2] in account.what) == (Verdict.NOT_EXAMINED, True)
        assert account.remedy.startswith(f"`kill -CONT {sandbox.pid}` resumes it")
        given = {"EMAG_SANDBOX_PORT": str(port), "EMAG_SANDBOX": "1", "DATABASE_SYNC_URL": database_url}
        told = " ".join(emag_pipeline(tmp_path, "status", **given).stdout.split())
        assert f"{who.partition(': ')[2]}: it does not respond. `kill -CONT {sandbox.pid}` resumes it" in told
        with pytest.raises(
            SettingsError, match=r"the sandbox .* is suspended \(SIGSTOP\): it does not respond"
        ) as taken:
            ports.require_free(port, "EMAG_SANDBOX_PORT", "the sandbox")
        assert f"`kill -CONT {sandbox.pid}`" in taken.value.remedy
        settings = load_settings({"EMAG_HOME": str(tmp_path), "EMAG_SANDBOX_PORT": str(port)}, env_file=None)
        with pytest.raises(SettingsError, match="is suspended"), sandbox_beside(settings, {}):
            pytest.fail("a command would have gone to a sandbox that does not respond")
        sandbox.send_signal(signal.SIGCONT)
        assert found(diagnosed(tmp_path, EMAG_SANDBOX_PORT=str(port)), "ports", f"port {port}").verdict is Verdict.OK


def test_a_program_of_ours_that_takes_too_long_may_only_be_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emag_pipeline.admin.doctor.machine._TIMEOUT_SECONDS", 0.2)
    silent = "import socket, time; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True)"
    command = [sys.executable, "-c", f"{silent}; time.sleep(600)", "-m", "emag_pipeline.sandbox"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sandbox:
        assert sandbox.stdout is not None
        port = int(sandbox.stdout.readline())
        (finding,) = examine(Listener("the sandbox", "EMAG_SANDBOX_PORT", "127.0.0.1", port, "/", "isError"))
        sandbox.kill()
    assert finding.verdict is Verdict.NOT_EXAMINED
    words = f"port {port}: no answer from the sandbox within 0.2 seconds; the sandbox (process {sandbox.pid})"
    assert finding.what.startswith(words)


def _may_mount() -> bool:
    return (
        shutil.which("unshare") is not None and subprocess.run(["unshare", "-rm", "true"], check=False).returncode == 0
    )


@pytest.mark.skipif(not _may_mount(), reason="this user cannot mount a small disk (unshare -rm)")
@pytest.mark.parametrize(
    ("options", "verdict", "said"),
    [("size=20m", "broken", " disk: "), ("ro", "broken", " settings: EMAG_HOME is ")],
)
def test_a_disk_without_room_or_read_only_is_told(tmp_path: Path, options: str, verdict: str, said: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    mounted = f'mount -t tmpfs -o {options} tmpfs {home} && exec "$@"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mounted, "sh", sys.executable, "-m", "emag_pipeline", "doctor"],
        env=environment(home), cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    (line,) = [line for line in done.stdout.splitlines() if said in line]
    assert line.startswith(verdict)


def test_open_incidents_are_told_with_their_remedy(database: Database, database_url: str, tmp_path: Path) -> None:
    incidents.note(
        database, incidents.IncidentFinding("fbe", "failing", "the marketplace refuses the password", "Correct it")
    )
    finding = found(diagnosed(tmp_path, DATABASE_SYNC_URL=database_url), "incidents")
    assert finding.what.startswith("fbe has been failing since ")
    assert finding.what.endswith(": the marketplace refuses the password")
    assert (finding.verdict, finding.remedy) == (Verdict.BROKEN, "Correct it")


def test_a_sensor_that_fell_silent_is_told_and_one_that_never_ticked(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    for sensor in ("stuck_syncs", "stale_accounts"):
        monitoring_tables.note_tick(database, sensor)
    with database.transaction() as tx:
        tx.run("UPDATE emag_sensor_ticks SET ticked_at = now() - interval '2 hours' WHERE sensor = 'stuck_syncs'")
    diagnosis = diagnosed(tmp_path, DATABASE_SYNC_URL=database_url)
    assert found(diagnosis, "sensors", "stuck_syncs has not ticked for 2 hours").verdict is Verdict.BROKEN
    assert found(diagnosis, "sensors", "run_failures has never ticked").verdict is Verdict.WARNING
    assert not [one for one in diagnosis.findings if "stale_accounts" in one.what]


def _looks_twice_and_breaks() -> Iterator[Finding]:
    yield ok("thing", "one")
    raise RuntimeError("geheim")


def _looks_for_ever() -> Iterator[Finding]:
    yield ok("thing", "one")
    time.sleep(60)


def test_an_examination_that_fails_is_a_finding_and_keeps_what_it_found() -> None:
    first, second = Begun(Examination("thing", 5, _looks_twice_and_breaks)).findings()
    assert (first.what, second.verdict) == ("one", Verdict.BROKEN)
    assert second.what.startswith("the examination itself failed: RuntimeError at ")
    assert "geheim" not in second.what


def test_an_examination_that_hangs_is_given_up_and_keeps_what_it_found() -> None:
    first, second = Begun(Examination("thing", 0.2, _looks_for_ever, "wait")).findings()
    assert (first.what, second.verdict) == ("one", Verdict.NOT_EXAMINED)
    assert second.what.startswith("no answer within 0.2 seconds")
    assert second.remedy.endswith("if that does not help: wait")


@pytest.mark.parametrize(
    ("verdicts", "worst", "code"),
    [
        ([Verdict.OK, Verdict.WARNING], Verdict.WARNING, 0),
        ([Verdict.WARNING, Verdict.NOT_EXAMINED], Verdict.NOT_EXAMINED, 6),
        ([Verdict.NOT_EXAMINED, Verdict.BROKEN], Verdict.BROKEN, 1),
    ],
)
def test_what_is_broken_is_worse_than_what_nobody_knows(verdicts: list[Verdict], worst: Verdict, code: int) -> None:
    diagnosis = Diagnosis(tuple(Finding("thing", verdict, "one", "two") for verdict in verdicts))
    assert (diagnosis.verdict, diagnosis.exit_code) == (worst, code)


def test_a_busy_machine_is_named_as_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (1000.0, 0.0, 0.0))
    finding = not_examined("thing", "no answer within 2 seconds", "wait")
    assert "no answer within 2 seconds: this machine is busy (load 1000.0 on " in finding.what
    assert finding.remedy.startswith("Run `emag-pipeline doctor` again when it is less busy")
