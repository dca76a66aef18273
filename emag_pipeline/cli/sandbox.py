"""`emag-pipeline sandbox`."""

from typing import Annotated

import typer

from emag_pipeline import sandbox as marketplace
from emag_pipeline.errors import SettingsError
from emag_pipeline.sandbox import PortTaken, SandboxServer
from emag_pipeline.sandbox.server import DEFAULT_ACCOUNTS, DEFAULT_SEED
from emag_pipeline.sandbox.settings import Parameters


def sandbox(
    port: Annotated[
        int, typer.Option(envvar="EMAG_SANDBOX_PORT", help="Port on 127.0.0.1; 0 takes any free one.")
    ] = 8765,
    seed: Annotated[
        int, typer.Option(help="Which invented catalogues; the same seed shows the same offers.")
    ] = DEFAULT_SEED,
    offers: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ACCOUNT=NUMBER", help="An account and its number of offers; repeat it for more accounts."
        ),
    ] = None,
    requests_per_second: Annotated[float, typer.Option(min=0, help="Limit an account; 0 is none.")] = 3,
    requests_per_minute: Annotated[float, typer.Option(min=0, help="Limit an account; 0 is none.")] = 180,
    latency_seconds: Annotated[float, typer.Option(min=0, help="How long each answer takes.")] = 0,
    seconds_per_offer: Annotated[float, typer.Option(min=0, help="How long each row of a read takes.")] = 0,
    parameters: Annotated[
        Parameters,
        typer.Option(
            envvar="EMAG_SANDBOX_PARAMETERS",
            help="Where reads and counts look for pagination and filters: at the top level, under `data`, or in both.",
        ),
    ] = "top",
    changes_per_second: Annotated[float, typer.Option(min=0, help="How fast each catalogue lives.")] = 0,
) -> None:
    """Run a marketplace to try on, until Ctrl-C.

    It answers like eMAG's API, with invented offers, limits and, on command, faults. Accounts log in as
    ACCOUNT@sandbox.example with the password `sandbox`. Without --offers there are main (1200) and fbe (800).
    """
    accounts = dict(_size(text) for text in offers) if offers else DEFAULT_ACCOUNTS
    try:
        marketplace.run(
            port,
            seed=seed,
            accounts=accounts,
            requests_per_second=requests_per_second,
            requests_per_minute=requests_per_minute,
            latency_seconds=latency_seconds,
            seconds_per_offer=seconds_per_offer,
            parameters=parameters,
            changes_per_second=changes_per_second,
            ready=_announce,
        )
    except PortTaken as error:
        raise SettingsError(
            f"port {port} is taken", remedy="Stop what uses it, or choose another with --port"
        ) from error


def _announce(server: SandboxServer) -> None:
    typer.echo(f"sandbox: {server.url}")


def _size(text: str) -> tuple[str, int]:
    account, _, number = text.partition("=")
    if not account or not number.isdigit():
        raise typer.BadParameter(f"{text!r} is not of the form ACCOUNT=NUMBER, e.g. main=1200", param_hint="--offers")
    return account, int(number)
