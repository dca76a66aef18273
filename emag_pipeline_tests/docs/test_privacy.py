"""docs/privacy.md: its statements run as they are printed, and find and remove what they say."""

import re
from pathlib import Path

from emag_pipeline.model import Reject
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import request_log
from emag_pipeline_tests.sync.offers import call, offer
from emag_pipeline_tests.sync.surprises import surprise
from emag_pipeline_tests.sync.syncs import execute, rows, sync

_PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")
_STATEMENTS = [one.strip() for block in re.findall(r"```sql\n(.*?)```", _PAGE, re.DOTALL) for one in block.split(";")]
_FINDING = [one for one in _STATEMENTS if one.startswith("SELECT")]
_REMOVING = [one for one in _STATEMENTS if one.startswith("UPDATE")]


def test_what_is_found_can_be_removed(database: Database) -> None:
    bad = [Reject(None, "id is 'Ionescu', not a number", '"Elena Ionescu"')]
    sync(database, [offer(1, description="Call Elena Ionescu"), offer(2)], rejects=bad)
    sync(database, [offer(2)], gone=[1])
    failed = call(status=200, outcome="error", error_class="ApiUnavailable", error_body='{"name": "Elena Ionescu')
    request_log.save(database, [failed])
    surprise(database)
    execute(database, "UPDATE emag_answer_surprises SET sample = 'Elena Ionescu'")
    assert [len(rows(database, statement)) for statement in _FINDING] == [1, 1, 1]
    for statement in _REMOVING:
        execute(database, statement)
    assert [len(rows(database, statement)) for statement in _FINDING] == [0, 0, 0]
    assert rows(database, "SELECT FROM emag_answer_surprises WHERE sample IS NOT NULL") == []
