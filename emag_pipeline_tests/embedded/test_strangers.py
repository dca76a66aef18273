"""A number in postmaster.pid proves nothing: another program's process is neither attached to nor stopped."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

from emag_pipeline import embedded, running_up
from emag_pipeline.embedded import places, postmaster
from emag_pipeline.local.embedded_use import in_use
from emag_pipeline_tests.embedded.homes import set_up
from emag_pipeline_tests.embedded.users import STRANGER, as_root


@pytest.fixture
def homes() -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory(prefix="emag-strangers-") as directory:
        Path(directory).chmod(0o755)
        homes = Path(directory) / "ours", Path(directory) / "theirs"
        yield homes
        for home in homes:
            server = embedded.running(home)
            if server is not None:
                server.stop()


def _killed(home: Path) -> str:
    """End a server without a farewell; returns what its postmaster.pid said."""
    server = embedded.start(set_up(home))
    said = (server.data / "postmaster.pid").read_text()
    process = server.postmaster()
    processes = [process, *process.children(recursive=True)]
    for one in processes:
        one.kill()
    psutil.wait_procs(processes, timeout=10)
    return said


def _with_number(said: str, pid: int) -> str:
    return "\n".join([str(pid), *said.split("\n")[1:]])


def test_another_server_of_this_user_is_left_alone(homes: tuple[Path, Path]) -> None:
    ours, theirs = homes
    said = _killed(ours)
    stranger = embedded.start(set_up(theirs))
    process = stranger.postmaster()
    (ours / "postgres" / "postmaster.pid").write_text(_with_number(said, process.pid))
    assert embedded.running(ours) is None
    with in_use(ours) as server:
        assert server.started_here
        assert server.postmaster().pid != process.pid
    assert process.is_running()
    assert stranger.postmaster() == process


def test_the_file_of_another_server_makes_it_none_of_ours(homes: tuple[Path, Path]) -> None:
    """As after a copy of the whole directory while its server runs."""
    ours, theirs = homes
    _killed(ours)
    stranger = embedded.start(set_up(theirs))
    (ours / "postgres" / "postmaster.pid").write_text((stranger.data / "postmaster.pid").read_text())
    assert embedded.running(ours) is None
    embedded.EmbeddedServer(ours / "postgres", stranger.socket_directory, started_here=False).stop()
    assert stranger.postmaster().is_running()


def test_any_program_that_got_the_number_is_left_alone(homes: tuple[Path, Path]) -> None:
    ours, _ = homes
    said = _killed(ours)
    stranger = subprocess.Popen(["sleep", "60"], cwd="/", **places.identity())
    try:
        (ours / "postgres" / "postmaster.pid").write_text(_with_number(said, stranger.pid))
        assert embedded.running(ours) is None
        with in_use(ours) as server:
            assert server.started_here
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_one_of_our_directory_that_began_at_another_time_is_none_of_ours(homes: tuple[Path, Path]) -> None:
    """A program that works in the directory and is called like the server, but is not the one that wrote the file."""
    ours, _ = homes
    said = _killed(ours)
    fake = ours / "postgres" / "bin" / "postgres"
    fake.parent.mkdir()
    fake.write_bytes(Path("/bin/sleep").read_bytes())
    fake.chmod(0o755)
    stranger = subprocess.Popen([str(fake), "60"], cwd=ours / "postgres", **places.identity())
    try:
        lines = _with_number(said, stranger.pid).split("\n")
        lines[2] = str(int(lines[2]) - 3600)
        (ours / "postgres" / "postmaster.pid").write_text("\n".join(lines))
        assert embedded.running(ours) is None
        embedded.EmbeddedServer(ours / "postgres", ours, started_here=False).stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_clock_that_was_set_since_does_not_make_our_server_a_stranger(homes: tuple[Path, Path]) -> None:
    ours, _ = homes
    server = embedded.start(set_up(ours))
    process = server.postmaster()
    began = process.create_time() - 7200
    file = server.data / "postmaster.pid"
    lines = file.read_text().split("\n")
    # the system's clock cannot be set here: what the kernel then tells of the start is told by the process object
    moved = psutil.Process(process.pid)
    moved._create_time = began
    note = postmaster.noted(server.data)
    assert note is not None
    assert abs(moved.create_time() - note.started) > 3600
    assert postmaster._says_so_itself(note)
    lines[2] = str(int(lines[2]) - 7200)
    file.write_text("\n".join(lines))
    wrong = postmaster.noted(server.data)
    assert wrong is not None
    assert not postmaster._says_so_itself(wrong)
    lines[2] = str(note.started)
    file.write_text("\n".join(lines))


@pytest.mark.parametrize("is_frozen", [True, False], ids=["frozen", "before its socket is noted"])
def test_nor_does_it_of_one_that_cannot_be_asked(homes: tuple[Path, Path], is_frozen: bool) -> None:
    ours, _ = homes
    server = embedded.start(set_up(ours))
    process = server.postmaster()
    file = server.data / "postmaster.pid"
    said = file.read_text()
    lines = said.split("\n")
    lines[2] = str(int(lines[2]) - 7200)
    if not is_frozen:
        lines[4:] = ["", ""]  # as PostgreSQL writes it first
    file.write_text("\n".join(lines))
    if is_frozen:
        process.suspend()
    try:
        assert postmaster.process_of(server.data) == process
    finally:
        process.resume()
        file.write_text(said)


def test_a_stopped_server_is_waited_for(homes: tuple[Path, Path]) -> None:
    ours, _ = homes
    server = embedded.start(set_up(ours))
    process = server.postmaster()
    connection = psycopg2.connect(host=str(server.socket_directory), user="postgres", dbname="postgres")
    server.stop()
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert not (server.data / "postmaster.pid").exists()
    connection.close()


@as_root
def test_a_process_of_another_user_is_no_member_of_the_family(tmp_path: Path) -> None:
    """Anybody may write anything into the environment of a process of his own."""
    environment = {**os.environ, **running_up.mark(tmp_path)}
    strange = subprocess.Popen(["sleep", "60"], env=environment, user=STRANGER, group=STRANGER, extra_groups=[])
    ours = subprocess.Popen(["sleep", "60"], env=environment)
    try:
        time.sleep(0.2)
        assert [member.pid for member in running_up.members(tmp_path)] == [ours.pid]
    finally:
        for process in (strange, ours):
            process.send_signal(signal.SIGKILL)
            process.wait()
