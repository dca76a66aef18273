"""Whose directories are used and changed: ours alone, never through a link, never a parent."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from emag_pipeline import embedded
from emag_pipeline.embedded import places, programs
from emag_pipeline.errors import PermanentError, SettingsError
from emag_pipeline_tests.embedded.homes import set_up
from emag_pipeline_tests.embedded.users import STRANGER, acting_as, as_root, mode_of


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A home that PostgreSQL's user can enter."""
    with tempfile.TemporaryDirectory(prefix="emag-rights-") as directory:
        Path(directory).chmod(0o755)
        home = Path(directory) / "home"
        yield home
        _stop(home)


@pytest.fixture
def closed_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home below a directory that is open to root alone, and a place for its data where all may go."""
    with tempfile.TemporaryDirectory(prefix="emag-roots-") as roots:
        Path(roots).chmod(0o711)
        monkeypatch.setattr(places, "ROOTS", Path(roots) / "emag_pipeline")
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        yield closed / "home"
        _stop(closed / "home")


def _stop(home: Path) -> None:
    server = embedded.running(home)
    if server is not None:
        server.stop()


def _answers(server: embedded.EmbeddedServer) -> bool:
    with psycopg2.connect(host=str(server.socket_directory), user="postgres", dbname="postgres") as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


def _guessed(data: Path) -> Path:
    """Where the sockets of a long home were looked for until 0.1: whoever knew the home knew this name."""
    return Path(tempfile.gettempdir()) / f"emag-postgres-{hashlib.sha256(bytes(data)).hexdigest()[:16]}"


def test_a_link_at_a_guessable_name_is_neither_followed_nor_changed(open_home: Path, tmp_path: Path) -> None:
    home = open_home / ("d" * 60) / ("e" * 60)
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o755)
    victim.chmod(0o755)
    trap = _guessed(home / "postgres")
    trap.symlink_to(victim)
    before = victim.lstat()
    try:
        server = embedded.start(set_up(home))
        assert _answers(server)
        assert not server.socket_directory.is_relative_to(victim)
        after = victim.lstat()
        assert (after.st_mode, after.st_uid, list(victim.iterdir())) == (before.st_mode, before.st_uid, [])
        server.stop()
    finally:
        trap.unlink()


def test_a_private_socket_directory_is_remembered_and_nobody_elses(open_home: Path) -> None:
    home = open_home / ("d" * 60) / ("e" * 60)
    first = embedded.start(set_up(home))
    assert first.socket_directory.parent == Path(tempfile.gettempdir())
    assert mode_of(first.socket_directory) == 0o700
    first.stop()
    again = embedded.start(home)
    assert again.socket_directory == first.socket_directory
    again.stop()
    shutil.rmtree(first.socket_directory)
    first.socket_directory.symlink_to("/")
    try:
        other = embedded.start(home)
        assert other.socket_directory != first.socket_directory
        assert _answers(other)
        other.stop()
    finally:
        first.socket_directory.unlink()


@as_root
def test_a_remembered_directory_that_became_somebody_elses_is_not_used(open_home: Path) -> None:
    home = open_home / ("d" * 60) / ("e" * 60)
    first = embedded.start(set_up(home))
    first.stop()
    shutil.rmtree(first.socket_directory)
    acting_as(STRANGER, lambda: first.socket_directory.mkdir(mode=0o700))
    try:
        assert first.socket_directory.lstat().st_uid == STRANGER
        other = embedded.start(home)
        assert other.socket_directory != first.socket_directory
        assert first.socket_directory.lstat().st_uid == STRANGER
        other.stop()
    finally:
        first.socket_directory.rmdir()


def test_what_belongs_to_others_is_never_handed_over(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    before = mode_of(target)
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(PermanentError, match="not ours"):
        places.hand_over(tmp_path / "link")
    assert mode_of(target) == before


@as_root
def test_a_strangers_directory_stays_the_strangers(tmp_path: Path) -> None:
    strange = tmp_path / "strange"
    strange.mkdir()
    os.chown(strange, STRANGER, STRANGER)
    with pytest.raises(PermanentError, match="another user"):
        places.hand_over(strange)
    assert strange.lstat().st_uid == STRANGER


@as_root
def test_root_keeps_closed_what_is_closed_and_the_data_lives_elsewhere(closed_home: Path) -> None:
    parents = {path: mode_of(path) for path in closed_home.parents}
    server = embedded.start(closed_home)
    assert _answers(server)
    assert {path: mode_of(path) for path in closed_home.parents} == parents
    assert server.data.is_relative_to(places.ROOTS)
    assert mode_of(server.data) == 0o700
    server.stop()
    again = embedded.start(closed_home)
    assert (again.data, again.started_here) == (server.data, True)
    found = embedded.running(closed_home)
    assert found is not None
    assert found.data == server.data
    again.stop()


@as_root
def test_data_that_can_no_longer_be_reached_is_refused_in_one_sentence(open_home: Path) -> None:
    set_up(open_home)
    open_home.parent.chmod(0o700)
    with pytest.raises(SettingsError, match=f"may not enter {open_home.parent}") as caught:
        embedded.start(open_home)
    assert len(caught.value.message.splitlines()) == 1
    assert mode_of(open_home.parent) == 0o700
    open_home.parent.chmod(0o755)


@as_root
def test_without_a_place_for_the_data_root_is_refused(closed_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "ROOTS", closed_home.parent / "roots")
    with pytest.raises(SettingsError, match="Set EMAG_HOME to a directory that he can enter"):
        embedded.start(closed_home)
    assert mode_of(closed_home.parent) == 0o700


#: What a shell, PostgreSQL's settings or a connection's address would have to quote.
_NAMES = ("it's", 'quoted"name', "a,b", "with space", "$HOME;`id`", "ăîș")


@as_root
def test_programs_below_a_closed_directory_are_copied(closed_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = programs._PROGRAMS.parent.parent
    for part in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, closed_home.parent / part.name, symlinks=True)
    monkeypatch.setattr(programs, "_PROGRAMS", closed_home.parent / package.name / "pginstall" / "bin")
    server = embedded.start(closed_home)
    assert _answers(server)
    assert Path(server.postmaster().exe()).is_relative_to(places.ROOTS)
    server.stop()
    assert mode_of(closed_home.parent) == 0o700


def test_a_home_of_any_name_is_set_up(open_home: Path) -> None:
    embedded.start(open_home / "".join(_NAMES)).stop()
    assert embedded.is_set_up(open_home / "".join(_NAMES))


@pytest.mark.parametrize("name", _NAMES)
def test_a_home_of_any_name_works(open_home: Path, name: str) -> None:
    server = embedded.start(set_up(open_home / name))
    assert _answers(server)
    assert server.data == open_home / name / "postgres"
    found = embedded.running(open_home / name)
    assert found is not None
    found.stop()
    assert embedded.running(open_home / name) is None
