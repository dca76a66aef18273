import subprocess
import sys
from pathlib import Path

from emag_pipeline.local import child

_WRITER = """
import sys
with open(sys.argv[1], "ab", buffering=0) as log:
    for number in range(int(sys.argv[2])):
        log.write(b"%09d\\n" % number)
    print("written", flush=True)
    sys.stdin.readline()
    log.write(b"the end\\n")
"""


def test_a_log_that_a_program_holds_open_is_emptied_and_what_was_in_it_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "daemon.log"
    command = [sys.executable, "-c", _WRITER, str(log), "1000"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdout.readline()
        child.keep_small(log, 10_000)
        assert log.stat().st_size == 10_000, "not larger"
        child.keep_small(log, 9_999)
        writer.stdin.write("\n")
    assert log.read_text() == "the end\n"
    assert (tmp_path / "daemon.log.1").read_text().splitlines() == [f"{number:09}" for number in range(1000)]


def test_so_many_are_kept_the_newest_first(tmp_path: Path) -> None:
    log = tmp_path / "daemon.log"
    for number in range(6):
        log.write_text(f"{number}")
        child.keep_small(log, 0)
    assert [(tmp_path / f"daemon.log.{age}").read_text() for age in (1, 2, 3)] == ["5", "4", "3"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "daemon.log",
        "daemon.log.1",
        "daemon.log.2",
        "daemon.log.3",
    ]


def test_a_new_start_sets_the_log_aside(tmp_path: Path) -> None:
    log = tmp_path / "daemon.log"
    child.set_aside(log)
    for said in ("first", "second"):
        log.write_text(said)
        child.set_aside(log)
    assert not log.exists()
    assert [(tmp_path / f"daemon.log.{age}").read_text() for age in (1, 2)] == ["second", "first"]


def test_no_link_is_followed(tmp_path: Path) -> None:
    """The database's log is in a directory of its own user; what root does there must not lead elsewhere."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    log = tmp_path / "server.log"
    log.symlink_to(victim)
    child.keep_small(log, 0)
    log.unlink()
    log.write_text("said")
    (tmp_path / "server.log.1").symlink_to(victim)
    child.keep_small(log, 0)
    assert (victim.read_text(), log.read_text(), (tmp_path / "server.log.1").read_text()) == ("precious", "", "said")
