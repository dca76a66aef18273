"""`emag-pipeline doctor`: a line each for people, JSON for programs.

The JSON is an object `{"at": time, "verdict": verdict, "findings": [finding, …]}`; a verdict is ok, warning,
`not examined` (no answer came in the time that the look has, as on a busy machine: nobody knows how it is) or broken,
that of the whole is the worst one, in this order. A finding has:

subject    what was looked at: settings, .env, database, clock, account NAME, checks, incidents, sensors, daemon,
           automation, ports, disk, memory, or marketplace
verdict    its verdict
what       how it is, in a sentence; no secret in it
remedy     what to do, "" where nothing is to be done

Times are ISO 8601 in UTC. Keys and subjects are added, never renamed; sentences may change.
"""

import json
import logging
from typing import Annotated

import typer
from rich.text import Text

from emag_pipeline.admin.doctor import Diagnosis, Finding, Verdict, diagnose
from emag_pipeline.console import console
from emag_pipeline.wording import iso_now

_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.NOT_EXAMINED: "magenta", Verdict.BROKEN: "bold red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of lines.")] = False,
) -> None:
    """Look at everything that the pipeline needs, and say what is wrong and what to do about it.

    Settings, databases, marketplace, daemon, ports, clocks, disk. Takes at most 15 seconds and changes nothing; an
    embedded PostgreSQL that sleeps is started for as long as it takes. Costs one call an account, within the rate
    limit. Ends with 0 when nothing is broken, 2 for wrong settings, 1 for anything else that is broken, and 6 where
    nothing is known to be broken, but something did not answer in time and was not examined: run it again.
    """
    ours = logging.getLogger("emag_pipeline")
    if not ours.isEnabledFor(logging.DEBUG):  # what goes wrong here is a finding, told once
        ours.setLevel(logging.CRITICAL)
    diagnosis = diagnose()
    if as_json:
        typer.echo(_document(diagnosis))
    else:
        onto = console(soft_wrap=True)
        width = max(len(finding.verdict) for finding in diagnosis.findings)
        for finding in diagnosis.findings:
            onto.print(_line(finding, width))
    raise typer.Exit(diagnosis.exit_code)


def _line(finding: Finding, width: int) -> Text:
    remedy = f". {finding.remedy}." if finding.remedy else ""
    said = f"  {finding.subject}: {finding.what}{remedy}"
    return Text.assemble((f"{finding.verdict:{width}}", _STYLES[finding.verdict]), said)


def _document(diagnosis: Diagnosis) -> str:
    findings = [
        {"subject": one.subject, "verdict": one.verdict, "what": one.what, "remedy": one.remedy}
        for one in diagnosis.findings
    ]
    at = iso_now()
    document = {"at": at, "verdict": diagnosis.verdict, "findings": findings}
    return json.dumps(document, indent=2, ensure_ascii=False)
