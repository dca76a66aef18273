"""Times, prices and texts have one form in the JSON of every command."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

from emag_pipeline.json_output import JsonModel, Moment, Tenths, json_text


class _Thing(JsonModel):
    at: Moment
    price: Decimal
    sync_id: UUID
    seconds: Tenths
    name: str


_THING = _Thing(
    at=datetime(2026, 3, 1, 6, tzinfo=timezone(timedelta(hours=2))),
    price=Decimal("10.4000"),
    sync_id=UUID(int=7),
    seconds=1.25678,
    name="Cafea măcinată",
)


def test_times_are_utc_to_the_microsecond_and_prices_keep_their_places() -> None:
    assert json.loads(json_text(_THING)) == {
        "at": "2026-03-01T04:00:00.000000Z",
        "price": "10.4000",
        "sync_id": "00000000-0000-0000-0000-000000000007",
        "seconds": 1.3,
        "name": "Cafea măcinată",
    }


def test_text_is_readable_and_indented_or_one_line() -> None:
    assert json_text([_THING]).splitlines()[-3:] == ['    "name": "Cafea măcinată"', "  }", "]"]
    assert len(json_text(_THING, is_one_line=True).splitlines()) == 1


def test_a_file_name_that_is_not_utf_8_does_not_fail() -> None:
    name = b"report-\xff".decode("utf-8", "surrogateescape")
    assert json.loads(json_text(_THING.model_copy(update={"name": name})))["name"] == name
    built = _Thing(at=datetime.now(UTC), price=Decimal(1), sync_id=UUID(int=1), seconds=0, name=name)
    assert json.loads(json_text(built))["name"] == name


def test_a_command_that_prints_no_json_builds_no_validator() -> None:
    program = (
        "from emag_pipeline.cli.json_document import OUTPUTS\n"
        "print([name for name, (model, _) in OUTPUTS.items() if model.__pydantic_complete__])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
