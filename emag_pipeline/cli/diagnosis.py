"""`emag-pipeline doctor` and `probe`: what is wrong here, and how the marketplace actually responds."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field
from rich.console import Console
from rich.text import Text

from emag_pipeline.admin.doctor import Finding, Verdict, diagnose
from emag_pipeline.cli.arguments import JsonOption
from emag_pipeline.console import console
from emag_pipeline.json_output import JsonModel, Moment, json_text
from emag_pipeline.settings import load_settings
from emag_pipeline.wording import closed, counted

if TYPE_CHECKING:
    from emag_pipeline.admin.probe.probe_file import OrderJson, ParametersJson, ProbeFileJson

_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.NOT_EXAMINED: "magenta", Verdict.BROKEN: "bold red"}


class FindingJson(JsonModel):
    """The result of one examination."""

    subject: str = Field(
        description="What was examined: `settings`, `.env`, `database`, `clock`, `locks`, `account NAME`, `checks`, "
        "`incidents`, `sensors`, `daemon`, `automation`, `ports`, `programs`, `disk`, `memory` or `marketplace`; "
        "`accounts` (what is published) and `answers` (unknown fields) only where examining them failed."
    )
    verdict: Verdict = Field(description="The verdict.")
    what: str = Field(description="What was found, in a sentence without secrets. Its wording may change.")
    remedy: str = Field(description="What to do; empty if nothing.")


class DiagnosisJson(JsonModel):
    """What `emag-pipeline doctor` found.

    Verdicts are `ok`, `warning`, `not examined` (no answer in the time allowed, as on a busy machine) and `broken`, in
    this order.
    """

    at: Moment = Field(description="Now.")
    verdict: Verdict = Field(description="The worst verdict.")
    findings: list[FindingJson] = Field(description="The findings. Subjects are added, never renamed.")


def doctor(as_json: JsonOption = False) -> None:
    """Examine everything that the pipeline needs, and report what is wrong and what to do about it.

    Settings, databases, marketplace, daemon, ports, clocks, disk. Takes at most 15 seconds and changes nothing. If the
    embedded PostgreSQL is not running, it is started for the duration. Makes one call per account, within the rate
    limit. Exit codes: 0 nothing is broken, 2 wrong settings, 1 anything else is broken, 6 nothing is known to be broken
    but something did not answer in time and was not examined: run it again.
    """
    ours = logging.getLogger("emag_pipeline")
    if not ours.isEnabledFor(logging.DEBUG):  # each problem is reported once, as a finding
        ours.setLevel(logging.CRITICAL)
    diagnosis = diagnose()
    if as_json:
        findings = [FindingJson.model_validate(one) for one in diagnosis.findings]
        typer.echo(json_text(DiagnosisJson(at=datetime.now(UTC), verdict=diagnosis.verdict, findings=findings)))
    else:
        onto = console(soft_wrap=True)
        width = max(len(finding.verdict) for finding in diagnosis.findings)
        for finding in diagnosis.findings:
            onto.print(_line(finding, width))
    raise typer.Exit(diagnosis.exit_code)


def _line(finding: Finding, width: int) -> Text:
    remedy = f". {closed(finding.remedy)}" if finding.remedy else ""
    said = f"  {finding.subject}: {finding.what}{remedy}"
    return Text.assemble((f"{finding.verdict:{width}}", _STYLES[finding.verdict]), said)


_LONGEST_LINE = 200
_PLACES = {
    "top": "at the top level of the body",
    "data": "under `data`",
    "both": "at the top level of the body, and under `data` if they are only there",
    "neither": "nowhere: page sizes are ignored",
    None: "in a place that these responses do not show",
}


def probe(
    account: Annotated[str | None, typer.Option(metavar="NAME", help="The account. Default: the first one.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The file, which is replaced. Default: emag-probe-NAME.json."
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print the file's content (docs/json-output.md); write the file only with --output."
        ),
    ] = False,
) -> None:
    """Find out how an account's marketplace actually responds, and write that to a file that is safe to share.

    Makes at most six calls, within the rate limit and recorded like all others. The file states the types, lengths and
    counts of each field, the names of unknown fields, which parameters are obeyed, the order of the listing, rate limit
    headers and response times. It contains no value of any offer, no name, no credential and no address. Attach it to a
    bug report, or let a sandbox answer in these shapes (`emag-pipeline sandbox --like FILE`). After a refusal the file
    is written too, and the exit code is the error's.
    """
    from emag_pipeline.admin.probe import probe as ask  # `doctor` asks less
    from emag_pipeline.admin.probe.probe_file import ProbeFileJson
    from emag_pipeline.atomic_file import written_at_once

    settings = load_settings()
    chosen = settings.account(account) if account else settings.accounts[0]
    file = output or (None if as_json else Path(f"emag-probe-{chosen.name}.json"))
    with Console(stderr=True).status("probing …") as status:
        say = lambda what: status.update(f"{what} …")  # noqa: E731
        if file is None:
            done = ask(settings, chosen, say)
            found = ProbeFileJson.model_validate(done.document)
        else:
            with written_at_once(file, force=True) as unfinished:
                done = ask(settings, chosen, say)
                found = ProbeFileJson.model_validate(done.document)
                unfinished.write_text(_text(found.model_dump(mode="json")) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(_text(found.model_dump(mode="json")))
    else:
        console(soft_wrap=True).print("\n".join(_probe_lines(found, file)))
    if done.error is not None:
        raise done.error


def _text(value: object, indent: str = "") -> str:
    """JSON with short parts on one line each, for people to read."""
    whole = json.dumps(value, ensure_ascii=False)
    if len(whole) <= _LONGEST_LINE or not isinstance(value, dict | list):
        return whole
    inner = indent + " "
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + _text(part, inner) for part in value) + f"\n{indent}]"
    parts = (f"{inner}{json.dumps(name)}: {_text(part, inner)}" for name, part in value.items())
    return "{\n" + ",\n".join(parts) + f"\n{indent}}}"


def _probe_lines(found: "ProbeFileJson", file: Path | None) -> Iterator[str]:
    if found.offers:
        yield f"parameters are obeyed {_PLACES[found.parameters.obeyed]}; {_sizes(found.parameters)}"
        yield _order(found.order) if found.order else "too few offers to show the order of the listing"
        unknown = ", ".join(found.unknown_fields) or "none"
        rows = counted(found.offers.rows, "offer")
        yield f"{len(found.offers.fields):,} fields and parts of fields in {rows}; unknown: {unknown}"
    elif not found.refused:
        yield "the account has no offers, so nothing is known about them"
    slowest = max(found.calls, key=lambda call: call.milliseconds)
    took = f"{slowest.milliseconds / 1000:,.2f} s, {slowest.bytes / 1000:,.0f} kB"
    yield f"{counted(len(found.calls), 'call')}; the slowest: {slowest.what}: {took}"
    yield f"{file}: shapes only, safe to share"


def _sizes(parameters: "ParametersJson") -> str:
    words = {True: "is obeyed", False: "is not obeyed", None: "was not tried"}
    size = parameters.odd_page_size or "an odd number"
    return f"a page size of {size} {words[parameters.is_odd_page_size_obeyed]}"


def _order(order: "OrderJson") -> str:
    how = "ascend" if order.ids_ascend else "descend" if order.ids_descend else "are in no order"
    share, again = order.share_in_same_order, ""
    if share is not None:
        again = f"; {share:.0%} of {order.offers_read_again} in the same order when read again"
    return f"ids {how} over {counted(order.offers, 'offer')}{again}"
