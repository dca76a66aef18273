"""`emag-pipeline probe`: lines for people; the file, and `--json`, for a report and for `emag-pipeline sandbox --like`.

The file is a JSON object without any value of an offer:

format, program, date   of the file: 1, this program's version, the day
marketplace             emag_ro, …; `sandbox`, or `another`
refused                 null, or the first error: {error, what, words}, words as the marketplace said them, redacted
calls                   each {what, resource, status, milliseconds, bytes, content_type, quota, clock_ahead_seconds,
                        rows, error}; quota: headers of rate limits
parameters              obeyed, count, read: `top`, `data`, `both` (obeyed only), `neither`; other_place_alone: whether
                        a count obeys the other place too where it is the only one; odd_page_size, is_…_obeyed
order                   of the first page, and of offers that were read twice
unknown_fields          names of fields that this version does not know
frame, count, offers, offer_by_id   null, or {rows, types, fields}: shapes, as `emag_pipeline/sandbox/like` describes

What the answers do not show is null. Keys are added, never renamed; a change of meaning raises `format`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from emag_pipeline.admin.probe import probe as ask
from emag_pipeline.atomic_file import written_at_once
from emag_pipeline.console import console
from emag_pipeline.settings import load_settings
from emag_pipeline.wording import counted

_LONGEST_LINE = 200
_PLACES = {
    "top": "at the top level of the body",
    "data": "under `data`",
    "both": "at the top level of the body, and under `data` where they are only there",
    "neither": "nowhere: page sizes are ignored",
    None: "not shown by these answers",
}


def probe(
    account: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which account; the first one by default.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to; emag-probe-NAME.json by default. Is replaced."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the file's content; it is written only with --output.")
    ] = False,
) -> None:
    """See how an account's marketplace really answers, and write that as a file that is safe to share.

    Six calls at most, within the rate limit, recorded like all others. The file tells types, lengths and counts of each
    field, names of unknown fields, which parameters are obeyed, the order of the listing, rate limit headers and times.
    It holds no value of any offer, no name, no credential and no address: attach it to a report, or let a sandbox
    answer in these shapes (`emag-pipeline sandbox --like FILE`). A refusal gives a file too, and the error's exit code.
    """
    settings = load_settings()
    chosen = settings.account(account) if account else settings.accounts[0]
    file = output or (None if as_json else Path(f"emag-probe-{chosen.name}.json"))
    with Console(stderr=True).status("probing …") as status:
        say = lambda what: status.update(f"{what} …")  # noqa: E731
        if file is None:
            done = ask(settings, chosen, say)
        else:
            with written_at_once(file, force=True) as unfinished:
                done = ask(settings, chosen, say)
                unfinished.write_text(_text(done.document) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(_text(done.document))
    else:
        console(soft_wrap=True).print("\n".join(_lines(done.document, file)))
    if done.error is not None:
        raise done.error


def _text(value: object, indent: str = "") -> str:
    """JSON with short parts on one line each, as a person reads it."""
    whole = json.dumps(value, ensure_ascii=False)
    if len(whole) <= _LONGEST_LINE or not isinstance(value, dict | list):
        return whole
    inner = indent + " "
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + _text(part, inner) for part in value) + f"\n{indent}]"
    parts = (f"{inner}{json.dumps(name)}: {_text(part, inner)}" for name, part in value.items())
    return "{\n" + ",\n".join(parts) + f"\n{indent}}}"


def _lines(told: dict[str, Any], file: Path | None) -> Iterator[str]:
    parameters, order, offers = told["parameters"], told["order"], told["offers"]
    if offers:
        yield f"parameters are obeyed {_PLACES[parameters['obeyed']]}; {_sizes(parameters)}"
        yield _order(order) if order else "the order of the listing is not shown by so few offers"
        unknown = ", ".join(told["unknown_fields"]) or "none"
        rows = counted(offers["rows"], "offer")
        yield f"{len(offers['fields']):,} fields and parts of fields in {rows}; unknown: {unknown}"
    elif not told["refused"]:
        yield "the account has no offers, so nothing is shown of them"
    slowest = max(told["calls"], key=lambda call: int(call["milliseconds"]))
    size = f"{slowest['bytes'] / 1000:,.0f} kB"
    calls = counted(len(told["calls"]), "call")
    yield f"{calls}; the slowest: {slowest['what']}: {slowest['milliseconds'] / 1000:,.2f} s, {size}"
    yield f"{file}: shapes only, safe to share"


def _sizes(parameters: dict[str, Any]) -> str:
    words = {True: "is obeyed", False: "is not obeyed", None: "was not tried"}
    size = parameters["odd_page_size"]
    return f"a page size of {size or 'an odd number'} {words[parameters['is_odd_page_size_obeyed']]}"


def _order(order: dict[str, Any]) -> str:
    how = "ascend" if order["ids_ascend"] else "descend" if order["ids_descend"] else "are in no order"
    share = order["share_in_same_order"]
    again = (
        f"; {share:.0%} of {order['offers_read_again']} in the same order when read again" if share is not None else ""
    )
    return f"ids {how} over {counted(order['offers'], 'offer')}{again}"
