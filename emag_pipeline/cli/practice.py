"""`emag-pipeline sandbox` and `drill`: a marketplace to practise on, and faults to practise with."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import AliasPath, Field

from emag_pipeline.cli.arguments import amount
from emag_pipeline.errors import SettingsError
from emag_pipeline.json_output import JsonModel, Tenths, json_text
from emag_pipeline.local import ports
from emag_pipeline.sandbox import LikenessError, PortTaken, SandboxServer, like, run
from emag_pipeline.sandbox.server import DEFAULT_ACCOUNTS, DEFAULT_SEED
from emag_pipeline.sandbox.settings import Parameters

if TYPE_CHECKING:
    from emag_pipeline.drills.play import Result


def sandbox(
    port: Annotated[
        int, typer.Option(envvar="EMAG_SANDBOX_PORT", help="The port to listen on; 0 takes any free one.")
    ] = 8765,
    bind: Annotated[str, typer.Option(envvar="EMAG_SANDBOX_BIND", help="The address to listen on.")] = "127.0.0.1",
    hosts: Annotated[
        str,
        typer.Option(
            envvar="EMAG_SANDBOX_HOSTS",
            metavar="NAME,…",
            help="Host names to answer to, in addition to those of this machine.",
        ),
    ] = "",
    seed: Annotated[
        int, typer.Option(help="Which catalogues to invent; the same seed gives the same offers.")
    ] = DEFAULT_SEED,
    offers: Annotated[
        list[str] | None,
        typer.Option(metavar="ACCOUNT=NUMBER", help="An account and its number of offers; repeat for more accounts."),
    ] = None,
    requests_per_second: Annotated[
        float, typer.Option(metavar="NUMBER", parser=amount, help="The limit per account; 0 is none.")
    ] = 3,
    requests_per_minute: Annotated[
        float, typer.Option(metavar="NUMBER", parser=amount, help="The limit per account; 0 is none.")
    ] = 180,
    latency_seconds: Annotated[
        float | None, typer.Option(metavar="NUMBER", parser=amount, help="How long each answer takes. Default: 0.")
    ] = None,
    seconds_per_offer: Annotated[
        float | None,
        typer.Option(metavar="NUMBER", parser=amount, help="How long each row of a read takes. Default: 0."),
    ] = None,
    parameters: Annotated[
        Parameters | None,
        typer.Option(
            envvar="EMAG_SANDBOX_PARAMETERS",
            help="Where reads and counts look for pagination and filters: at the top level (the default), under "
            "`data`, in both, or in neither.",
        ),
    ] = None,
    changes_per_second: Annotated[
        float, typer.Option(metavar="NUMBER", parser=amount, help="How fast each catalogue changes.")
    ] = 0,
    like_file: Annotated[
        Path | None,
        typer.Option(
            "--like",
            metavar="FILE",
            help="Answer in the shapes that `emag-pipeline probe` wrote to FILE: types, unknown fields, the place of "
            "the parameters, order, latency. Other options take precedence.",
        ),
    ] = None,
) -> None:
    """Run a sandbox marketplace until Ctrl-C.

    It answers like eMAG's API, with invented offers, rate limits and, on command, faults. Accounts log in as
    ACCOUNT@sandbox.example with the password `sandbox`. Without --offers there are main (1200) and fbe (800).
    """
    accounts = dict(_size(text) for text in offers) if offers else DEFAULT_ACCOUNTS
    given: dict[str, Any] = {
        "latency_seconds": latency_seconds,
        "seconds_per_offer": seconds_per_offer,
        "parameters": parameters,
    }
    try:
        server = SandboxServer(
            port,
            host=bind,
            hosts=hosts.split(","),
            seed=seed,
            accounts=accounts,
            requests_per_second=requests_per_second,
            requests_per_minute=requests_per_minute,
            changes_per_second=changes_per_second,
            like=like.read(like_file) if like_file else None,
            **{name: value for name, value in given.items() if value is not None},
        )
    except LikenessError as error:
        raise SettingsError(str(error).removesuffix(".")) from error
    except PortTaken as error:
        raise ports.taken(f"port {port} is taken", "choose another with --port", ports.holder(port)) from error
    run(server)


def _size(text: str) -> tuple[str, int]:
    account, _, number = text.partition("=")
    if not account or not number.isdigit():
        raise typer.BadParameter(f"{text!r} is not of the form ACCOUNT=NUMBER, e.g. main=1200", param_hint="--offers")
    return account, int(number)


class DrillJson(JsonModel):
    """One fault that was played."""

    name: str = Field(validation_alias=AliasPath("scenario", "name"), description="The drill.")
    fault: str = Field(validation_alias=AliasPath("scenario", "fault"), description="The fault.")
    observed: str = Field(description="How the run that met the fault ended, and what came next.")
    said: str = Field(description="Its error message; empty if it had none.")
    ok: bool = Field(description="Whether everything was as expected.")
    problems: list[str] = Field(description="What was not, a line each.")
    seconds: Tenths = Field(description="Duration; several drills are played at once.")
    lost_rows: int | None = Field(
        description="Rows missing in comparison with the sandbox's catalogue; null if it was not compared."
    )
    wrong_deletions: int | None = Field(description="Offers wrongly marked as deleted; null likewise.")


class DrillsJson(JsonModel):
    """The outcome of `emag-pipeline drill`."""

    ok: bool = Field(description="Whether every drill went as expected.")
    drills: list[DrillJson] = Field(description="The drills played.")


def drill(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Play only these. Default: all.", show_default=False)
    ] = None,
    only_list: Annotated[bool, typer.Option("--list", help="List the drills without playing any.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON (docs/json-output.md); progress goes to standard error.")
    ] = False,
) -> None:
    """Play faults against the sandbox and check how the pipeline handles them.

    Server errors, inconsistent pages, bad rows, kills, a crashing database: each meets a real run, on a PostgreSQL of
    its own in a temporary directory. Your database and settings are not touched. The exit code is 0 if every drill
    matched docs/faults.md, with no row lost or wrongly deleted, else 1. All drills together take about six minutes.
    """
    from emag_pipeline.console import Narrator  # the sandbox needs nothing of the pipeline
    from emag_pipeline.drills.play import exit_code
    from emag_pipeline.drills.programme import play_all, table_of
    from emag_pipeline.drills.scenarios import named
    from emag_pipeline.local.stop_signals import StopSignals

    scenarios = named(names or [])
    narrator = Narrator(stderr=as_json)
    if only_list:
        for one in scenarios:
            typer.echo(f"{one.name:34} {one.fault}")
        return
    finished: list[Result] = []

    def tell(result: "Result") -> None:
        finished.append(result)
        how = "ok" if result.ok else "FAILED"
        narrator.say(f"{len(finished):3} of {len(scenarios)}  {how:6}  {result.scenario.name} ({result.seconds:.1f} s)")

    with StopSignals() as signals:
        results = play_all(scenarios, tell, signals.check)
    code = exit_code(results)
    if as_json:
        typer.echo(json_text(_document(results, is_ok=code == 0)))
    else:
        narrator.print(table_of(results))
    raise typer.Exit(code)


def _document(results: Sequence["Result"], *, is_ok: bool) -> DrillsJson:
    return DrillsJson(ok=is_ok, drills=[DrillJson.model_validate(one) for one in results])
