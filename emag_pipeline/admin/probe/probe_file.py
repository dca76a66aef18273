"""The form of a probe's file, which `emag-pipeline probe --json` prints too. It contains no value of an offer."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from emag_pipeline.json_output import JsonModel


class _Part(JsonModel):
    model_config = ConfigDict(extra="forbid")  # what has no description here must not be written


class RefusalJson(_Part):
    """An error, or a refusal by the marketplace."""

    error: str = Field(description="The error's class (docs/runbook.md).")
    what: str = Field(description="What it means.")
    words: str = Field(description="What the marketplace said, redacted.")


class ProbeCallJson(_Part):
    """One call."""

    what: str = Field(description="What was asked.")
    resource: str = Field(description="The API resource, such as `product_offer/read`.")
    status: int | None = Field(description="The HTTP status; null if there was no response.")
    milliseconds: int = Field(description="Duration.")
    bytes: int = Field(description="Size of the response.")
    content_type: str | None = Field(description="Its content type.")
    quota: dict[str, int | None] = Field(description="Its rate limit headers.")
    clock_ahead_seconds: int | None = Field(
        description="By how much the marketplace's clock is ahead of this machine's."
    )
    rows: int | None = Field(description="The rows of a read.")
    error: RefusalJson | None = Field(description="Why it failed; null if it did not.")


class ParametersJson(_Part):
    """Where and whether the marketplace obeys parameters.

    A place is `top` (the top level of the body), `data`, `both` (only in `obeyed`) or `neither`.
    """

    obeyed: str | None = Field(description="The place.")
    count: str | None = Field(description="The place that counts obey.")
    read: str | None = Field(description="The place that reads obey.")
    other_place_alone: bool | None = Field(description="Whether a count obeys the other place if it is the only one.")
    odd_page_size: int | None = Field(description="A page size that was tried.")
    is_odd_page_size_obeyed: bool | None = Field(description="Whether it was obeyed.")
    is_page_number_obeyed: bool | None = Field(description="Whether the page number was obeyed.")
    is_id_obeyed: bool | None = Field(description="Whether the filter by id was obeyed.")


class OrderJson(_Part):
    """The order of the first page, and of offers that were read twice."""

    offers: int = Field(description="Offers on the page.")
    ids_ascend: bool = Field(description="Whether their ids ascend.")
    ids_descend: bool = Field(description="Whether their ids descend.")
    repeated_ids: int = Field(description="Ids that occur again.")
    offers_read_again: int = Field(description="Offers that were read twice.")
    share_in_same_order: float | None = Field(description="The share of them that came in the same order.")


class ShapesJson(_Part):
    """What kinds of values were found."""

    rows: int = Field(description="Values examined.")
    types: dict[str, int] = Field(description="How many of each type.")
    fields: dict[str, dict[str, Any]] = Field(
        description="Types, counts and bounds of each path, as `emag_pipeline/sandbox/like` describes them."
    )


class ProbeFileJson(_Part):
    """How an account's marketplace answers. What the responses do not show is null."""

    format: Literal[1] = Field(description="The version of this form: raised if a field changes its meaning.")
    program: str = Field(description="The version of emag-pipeline.")
    date: str = Field(description="The day, such as `2026-03-01`.")
    marketplace: str = Field(description="`emag_ro`, …; `sandbox`, or `another`.")
    refused: RefusalJson | None = Field(description="The first error; null if there was none.")
    calls: list[ProbeCallJson] = Field(description="The calls.")
    parameters: ParametersJson = Field(description="Which parameters are obeyed.")
    order: OrderJson | None = Field(description="How the listing is ordered.")
    unknown_fields: list[str] = Field(description="Names of fields that this version does not know.")
    frame: ShapesJson | None = Field(description="The shape of what surrounds the results.")
    count: ShapesJson | None = Field(description="The shape of counts.")
    offers: ShapesJson | None = Field(description="The shape of offers on a page.")
    offer_by_id: ShapesJson | None = Field(description="The shape of an offer read by its id.")
