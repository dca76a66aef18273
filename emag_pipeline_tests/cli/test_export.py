import csv
import os
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from emag_pipeline.store.engine import Database
from emag_pipeline.wording import iso
from emag_pipeline_tests.cli.commands import emag_pipeline, environment
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import sync

_COMMAND = [sys.executable, "-m", "emag_pipeline", "export"]
_MANY = """
    INSERT INTO emag_offer_states (account_type, emag_offer_id, stamp_from, sync_id, part_number, status,
        sale_price, validation_status, translation_validation_status, is_saleable)
    SELECT 'main', number, '2026-03-01', gen_random_uuid(), 'PN' || number, 1, 10, '{9}', '{}', true
    FROM generate_series(1, :rows) number
"""


def _fill(database: Database, rows: int) -> None:
    with database.transaction() as tx:
        tx.run(_MANY, rows=rows)


def test_into_a_pipe_goes_csv(database: Database, database_url: str, tmp_path: Path) -> None:
    sync(database, [offer(1, name="Șosete\nde lână", part_number="=1")])
    arguments = ("emag_current_offers", "--account", "main")
    done = emag_pipeline(tmp_path, "export", *arguments, DATABASE_SYNC_URL=database_url)
    assert (done.returncode, done.stderr) == (0, "")
    (row,) = csv.DictReader(StringIO(done.stdout, newline=""))
    assert (row["name"], row["part_number"]) == ("Șosete\nde lână", "'=1")
    raw = emag_pipeline(tmp_path, "export", *arguments, "--raw", DATABASE_SYNC_URL=database_url)
    assert ",=1," in raw.stdout


def test_a_file_is_named_after_the_table_and_the_end_says_what_it_holds(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    published = iso(sync(database, [offer(1)]).published_at)
    arguments = ("emag_product_offers", "--format", "parquet", "--account", "main", "--as-of", published)
    done = emag_pipeline(tmp_path, "export", *arguments, DATABASE_SYNC_URL=database_url)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("emag_product_offers-main.parquet: 1 row, ")
    assert (tmp_path / "emag_product_offers-main.parquet").read_bytes()[:4] == b"PAR1"


def test_what_the_name_of_a_file_says_is_written(database: Database, database_url: str, tmp_path: Path) -> None:
    sync(database, [offer(1)])
    arguments = ("emag_current_offers", "--account", "main", "-o", "now.parquet")
    done = emag_pipeline(tmp_path, "export", *arguments, DATABASE_SYNC_URL=database_url)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "now.parquet").read_bytes()[:4] == b"PAR1"
    both = emag_pipeline(tmp_path, "export", *arguments, "--format", "csv", "--force", DATABASE_SYNC_URL=database_url)
    assert both.returncode == 2
    assert both.stderr == (
        "emag-pipeline: now.parquet: --format is csv, but the file's name says parquet. "
        "Omit --format, or name the file *.csv.\n"
    )
    assert (tmp_path / "now.parquet").read_bytes()[:4] == b"PAR1"


def test_a_moment_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "export", "emag_product_offers", "--account", "main", "--as-of", "yesterday")
    assert done.returncode == 2
    assert done.stderr == (
        "emag-pipeline: --as-of is 'yesterday'. Give a date or a time such as 2026-03-01T06:00+02:00.\n"
    )  # fmt: skip


def test_a_reader_that_leaves_early_costs_no_traceback(database: Database, database_url: str, tmp_path: Path) -> None:
    _fill(database, 20_000)
    variables = environment(tmp_path, DATABASE_SYNC_URL=database_url)
    with subprocess.Popen(
        [*_COMMAND, "emag_offer_history"],
        env=variables, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"account_type,emag_offer_id,")
        process.stdout.close()
        assert (process.stderr.read(), process.wait(60)) == (b"", 1)


def test_a_full_disk_is_one_line_with_a_remedy(database: Database, database_url: str, tmp_path: Path) -> None:
    _fill(database, 20_000)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*_COMMAND, "emag_offer_history"], env=environment(tmp_path, DATABASE_SYNC_URL=database_url), cwd=tmp_path,
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    said = "standard output could not be written: No space left on device. Free some space and run the command again.\n"
    assert (done.returncode, done.stderr) == (5, f"emag-pipeline: {said}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_130_and_leaves_no_file(
    database: Database, database_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    _fill(database, 200_000)
    variables = environment(tmp_path, DATABASE_SYNC_URL=database_url)
    process = subprocess.Popen(
        [*_COMMAND, "emag_offer_history", "--output", "history.csv"], env=variables, cwd=tmp_path,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    wait_until(lambda: any(file.stat().st_size > 10_000 for file in tmp_path.glob(".history.csv.*")), 30)
    process.send_signal(number)
    assert (process.communicate(timeout=300)[1], process.returncode) == (
        f"emag-pipeline: interrupted by {number.name}\n".encode(),
        130,
    )
    assert list(tmp_path.glob("*history*")) == []


def _peak_mebibytes(tmp_path: Path, url: str, format_: str) -> float:
    """The largest resident size of a whole export."""
    arguments = ["emag_offer_history", "--format", format_, "--output", f"history.{format_}", "--force"]
    process = subprocess.Popen(
        [*_COMMAND, *arguments], env=environment(tmp_path, DATABASE_SYNC_URL=url), cwd=tmp_path, stderr=subprocess.PIPE
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.communicate()[1]
    return usage.ru_maxrss / 1024


@pytest.mark.slow
@pytest.mark.parametrize(("format_", "more"), [("csv", 10), ("parquet", 60)])
def test_memory_does_not_grow_with_the_table(
    database: Database, database_url: str, tmp_path: Path, format_: str, more: int
) -> None:
    _fill(database, 5_000)
    few = _peak_mebibytes(tmp_path, database_url, format_)
    with database.transaction() as tx:
        tx.run("TRUNCATE emag_offer_states")
    _fill(database, 300_000)
    many = _peak_mebibytes(tmp_path, database_url, format_)
    assert many - few < more, f"{few:.0f} MiB for 5,000 rows, {many:.0f} for 300,000"
