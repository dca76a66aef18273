"""JSON for programs: models with described fields, and one format for times, prices and ids.

A model is built from the attributes of the object it describes (`Model.model_validate(thing)`).
docs/json-output.md is generated from the models of all commands.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, WithJsonSchema

from emag_pipeline.wording import iso


class JsonModel(BaseModel):
    """One JSON object. Fields are added, never renamed.

    The validator is built at first use, so commands that print no JSON start faster.
    """

    model_config = ConfigDict(from_attributes=True, validate_by_name=True, frozen=True, defer_build=True)


#: A time as `iso` writes it: UTC, to the microsecond.
Moment = Annotated[
    datetime, PlainSerializer(iso, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]
#: Seconds, to a tenth.
Tenths = Annotated[float, AfterValidator(lambda seconds: round(seconds, 1))]


def json_text(document: JsonModel | Sequence[JsonModel], *, is_one_line: bool = False) -> str:
    """The document as JSON, indented by two spaces unless `is_one_line`. Prices and sync ids are strings."""
    content = (
        document.model_dump(mode="json")
        if isinstance(document, JsonModel)
        else [one.model_dump(mode="json") for one in document]
    )
    return json.dumps(content, indent=None if is_one_line else 2, ensure_ascii=False)
