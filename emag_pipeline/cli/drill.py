"""`emag-pipeline drill`: a table for people, JSON for programs.

The JSON is an object `{"ok": bool, "drills": [drill, …]}`. A drill has:

name, fault                  the scenario
observed, said               how the run that met the fault ended and what came next; what it said, "" if nothing
ok, problems                 whether all was as expected, and a line for everything that was not
seconds                      how long it took, several being played at once
lost_rows, wrong_deletions   against the sandbox's truth; null where it did not come to a comparison

Keys are added, never renamed.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from emag_pipeline.console import Narrator
from emag_pipeline.drills.play import Result, exit_code
from emag_pipeline.drills.programme import play_all, table_of
from emag_pipeline.drills.scenarios import named
from emag_pipeline.local.stop_signals import StopSignals


def drill(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Play these only. Default: all.", show_default=False)
    ] = None,
    only_list: Annotated[bool, typer.Option("--list", help="Say which there are, and play none.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs; progress goes to stderr.")] = False,
) -> None:
    """Play faults against the sandbox and see what the pipeline does about them.

    Server errors, lying pages, bad rows, kills, a crashing database: each meets a real run, on a PostgreSQL of its
    own in a temporary directory; your database and settings are not touched. Ends with 0 if every drill went as
    docs/faults.md says, with no row lost and none wrongly deleted, else with 1. All of them take some four minutes.
    """
    scenarios = named(names or [])
    narrator = Narrator(stderr=as_json)
    if only_list:
        for one in scenarios:
            typer.echo(f"{one.name:34} {one.fault}")
        return
    told: list[Result] = []

    def tell(result: Result) -> None:
        told.append(result)
        how = "ok" if result.ok else "FAILED"
        narrator.say(f"{len(told):3} of {len(scenarios)}  {how:6}  {result.scenario.name} ({result.seconds:.1f} s)")

    with StopSignals() as signals:
        results = play_all(scenarios, tell, signals.check)
    _print(results, narrator, as_json)
    raise typer.Exit(exit_code(results))


def _print(results: Sequence[Result], narrator: Narrator, as_json: bool) -> None:
    if as_json:
        said = {"ok": exit_code(results) == 0, "drills": [_drill(one) for one in results]}
        typer.echo(json.dumps(said, indent=2, ensure_ascii=False))
    else:
        narrator.print(table_of(results))


def _drill(one: Result) -> dict[str, Any]:
    return {
        "name": one.scenario.name,
        "fault": one.scenario.fault,
        "observed": one.observed,
        "said": one.said,
        "ok": one.ok,
        "problems": list(one.problems),
        "seconds": round(one.seconds, 1),
        "lost_rows": one.lost_rows,
        "wrong_deletions": one.wrong_deletions,
    }
