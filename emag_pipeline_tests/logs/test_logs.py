import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from emag_pipeline.logs import about, logger, with_context
from emag_pipeline.logs.configure import formatter
from emag_pipeline.logs.printed import LinesOnly, shortened
from emag_pipeline.settings.redaction import Redactor

log = logger("emag_pipeline.somewhere")

_SECRET = 'Sch€ißgeheim-4711/"äöü'


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(formatter(Redactor([_SECRET]), as_json=True))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def kept() -> Iterator[_Kept]:
    handler, root = _Kept(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


def test_an_event_is_one_object_with_time_level_name_and_facts(kept: _Kept) -> None:
    log.info("scan_planned", pages=12, share=0.5, of=["a", None])
    (entry,) = kept.entries
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "info",
        "event": "scan_planned",
        "logger": "emag_pipeline.somewhere",
        "pages": 12,
        "share": 0.5,
        "of": ["a", None],
    }


def test_what_the_work_is_about_stands_on_every_line_of_its_threads_too(kept: _Kept) -> None:
    with about(account="main", sync_id="s1"):
        log.info("one")
        logging.getLogger("urllib3").warning("two")
        beside = threading.Thread(target=with_context(log.info), args=("three",))
        beside.start()
        beside.join()
    log.info("four")
    assert [(entry.get("account"), entry.get("sync_id")) for entry in kept.entries] == [("main", "s1")] * 3 + [
        (None, None)
    ]


def test_other_handlers_get_readable_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log.info("scan_planned", pages=12)
    assert caplog.messages == ["scan_planned pages=12"]


def test_a_level_that_is_not_wanted_costs_no_line(kept: _Kept) -> None:
    logging.getLogger("emag_pipeline").setLevel(logging.WARNING)
    try:
        log.info("one")
    finally:
        logging.getLogger("emag_pipeline").setLevel(logging.NOTSET)
    assert kept.lines == []


def test_no_secret_leaves_in_facts_texts_or_tracebacks(kept: _Kept) -> None:
    log.info("one", why=_SECRET, deep={"a": [_SECRET]}, odd=ValueError(_SECRET))
    logging.getLogger("psycopg2").error("connection to postgresql://me:%s@h/d failed", "another")
    logging.getLogger("library").error("dsn: host=h password='third one' dbname=d, Authorization: Basic Zm91cnRoIQ==")
    try:
        raise RuntimeError(f"no right with {_SECRET}")
    except RuntimeError:
        log.exception("two")
    shown = "\n".join(kept.lines)
    assert [secret for secret in ("4711", "another", "third", "Zm91cnRo") if secret in shown] == []
    assert shown.count("***") >= 6
    assert "RuntimeError: no right with ***" in kept.entries[-1]["exception"]


def test_for_people_a_traceback_follows_its_line() -> None:
    shown = io.StringIO()
    handler = logging.StreamHandler(shown)
    handler.setFormatter(formatter(Redactor([_SECRET]), as_json=False))
    library = logging.getLogger("library")
    library.addHandler(handler)
    try:
        raise RuntimeError(f"no right with {_SECRET}")
    except RuntimeError:
        with warnings.catch_warnings(action="error"):
            library.exception("it failed: %s", 100)
    finally:
        library.removeHandler(handler)
    first, *traceback = shown.getvalue().splitlines()
    assert "library_said" in first
    assert "it failed: 100" in first
    assert traceback[0] == "Traceback (most recent call last):"
    assert traceback[-1] == "RuntimeError: no right with ***"


def test_one_record_is_shown_alike_by_several_handlers(kept: _Kept, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        log.exception("half_done", done=1)
    (record,) = caplog.records
    assert record.getMessage() == "half_done done=1"
    assert record.exc_info is not None
    assert kept.entries[0]["exception"].endswith("RuntimeError: broken")


_RECORD = """2026-11-26 16:32:10 +0000 - dagster - ERROR - refresh - STEP_FAILURE - Execution of step "audit" failed.
{raised}
Stack Trace:
  File "x.py", line 7, in work
"""


def test_an_interruption_is_one_line_and_no_error() -> None:
    stream = io.StringIO()
    lines = LinesOnly(stream, "<{}>".format, shortened)
    print(_RECORD.format(raised="dagster._core.errors.DagsterExecutionInterruptedError"), end="", file=lines)  # type: ignore[call-overload]
    (line,) = stream.getvalue().splitlines()
    assert " - WARNING - refresh - STEP_FAILURE - " in line
    assert line.endswith('Execution of step "audit" failed. It was interrupted.>')
    print(_RECORD.format(raised="OSError: no room"), end="", file=lines)  # type: ignore[call-overload]
    assert "<OSError: no room>" in stream.getvalue()
    assert " - ERROR - " in stream.getvalue()


def test_what_a_library_has_said_before_does_not_double_every_line() -> None:
    """Dagster tries its database again before the pipeline is loaded, and has `logging` itself tell it."""
    says = "import logging; logging.warning('early'); "
    configures = "from emag_pipeline.logs.configure import configure; from emag_pipeline.settings import load_settings"
    script = f"{says}{configures}; configure(load_settings({{}}, env_file=None)); logging.warning('late')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.count("early") == done.stderr.count("late") == 1


def test_a_record_of_several_lines_is_one_line_and_dropped_as_one() -> None:
    """The traceback of an event below the level says nothing by itself: a step that is tried again has thirty lines."""
    stream = io.StringIO()
    lines = LinesOnly(
        stream,
        lambda text: "" if " - DEBUG - " in text else f"<{text}>",
        begins_a_record=lambda line: line.startswith("2026"),
    )
    lines.write("2026 - dagster - DEBUG - failed and has requested a retry.\n\nStack Trace:\n  File one\n")
    lines.write("2026 - dagster - ERROR - failed.\nStack Trace:\n  File two\n")
    lines.write("printed\nby itself\n")
    assert stream.getvalue() == "<2026 - dagster - ERROR - failed.\nStack Trace:\n  File two>\n<printed>\n<by itself>\n"


def test_a_stream_of_lines_wraps_what_is_no_object_and_joins_what_came_in_pieces() -> None:
    stream = io.StringIO()
    lines = LinesOnly(stream, lambda text: "" if text == "drop" else f"<{text}>")
    for piece in ('{"a": 1}\n', "half ", "a line\nand", " more\n", "\n", "drop\n", '{"no object\n', "rest"):
        print(piece, end="", file=lines)  # type: ignore[call-overload]
    assert stream.getvalue() == '{"a": 1}\n<half a line>\n<and more>\n<{"no object>\n'
    lines.close_line()
    assert stream.getvalue().endswith("<rest>\n")
