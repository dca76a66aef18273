"""`emag-pipeline sandbox`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from emag_pipeline import sandbox as marketplace
from emag_pipeline.errors import SettingsError
from emag_pipeline.local import ports
from emag_pipeline.sandbox import LikenessError, PortTaken, SandboxServer, like
from emag_pipeline.sandbox.server import DEFAULT_ACCOUNTS, DEFAULT_SEED
from emag_pipeline.sandbox.settings import Parameters


def sandbox(
    port: Annotated[
        int, typer.Option(envvar="EMAG_SANDBOX_PORT", help="Port to listen on; 0 takes any free one.")
    ] = 8765,
    bind: Annotated[str, typer.Option(envvar="EMAG_SANDBOX_BIND", help="Address to listen on.")] = "127.0.0.1",
    hosts: Annotated[
        str,
        typer.Option(
            envvar="EMAG_SANDBOX_HOSTS", metavar="NAME,…", help="Host names to answer to, beside those of this machine."
        ),
    ] = "",
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
    latency_seconds: Annotated[
        float | None, typer.Option(min=0, help="How long each answer takes: 0 by default.")
    ] = None,
    seconds_per_offer: Annotated[
        float | None, typer.Option(min=0, help="How long each row of a read takes: 0 by default.")
    ] = None,
    parameters: Annotated[
        Parameters | None,
        typer.Option(
            envvar="EMAG_SANDBOX_PARAMETERS",
            help="Where reads and counts look for pagination and filters: at the top level (the default), under "
            "`data`, in both, or in neither.",
        ),
    ] = None,
    changes_per_second: Annotated[float, typer.Option(min=0, help="How fast each catalogue lives.")] = 0,
    like_file: Annotated[
        Path | None,
        typer.Option(
            "--like",
            metavar="FILE",
            help="Answer in the shapes that `emag-pipeline probe` wrote into FILE: types, unknown fields, the place of "
            "the parameters, order, latency. Other options win.",
        ),
    ] = None,
) -> None:
    """Run a sandbox marketplace until Ctrl-C.

    It answers like eMAG's API, with invented offers, limits and, on command, faults. Accounts log in as
    ACCOUNT@sandbox.example with the password `sandbox`. Without --offers there are main (1200) and fbe (800).
    """
    accounts = dict(_size(text) for text in offers) if offers else DEFAULT_ACCOUNTS
    given: dict[str, Any] = {
        "latency_seconds": latency_seconds,
        "seconds_per_offer": seconds_per_offer,
        "parameters": parameters,
    }
    try:
        marketplace.run(
            port,
            host=bind,
            hosts=hosts.split(","),
            seed=seed,
            accounts=accounts,
            requests_per_second=requests_per_second,
            requests_per_minute=requests_per_minute,
            changes_per_second=changes_per_second,
            like=like.read(like_file) if like_file else None,
            ready=_announce,
            **{name: value for name, value in given.items() if value is not None},
        )
    except LikenessError as error:
        raise SettingsError(str(error).removesuffix(".")) from error
    except PortTaken as error:
        raise ports.taken(f"port {port} is taken", "choose another with --port", ports.holder(port)) from error


def _announce(server: SandboxServer) -> None:
    typer.echo(f"sandbox: {server.url}")


def _size(text: str) -> tuple[str, int]:
    account, _, number = text.partition("=")
    if not account or not number.isdigit():
        raise typer.BadParameter(f"{text!r} is not of the form ACCOUNT=NUMBER, e.g. main=1200", param_hint="--offers")
    return account, int(number)
