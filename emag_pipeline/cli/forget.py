"""`emag-pipeline forget`.

The JSON is an object `{"account": …, "removed": {table: rows}, "files": [path, …], "stays": [sentence, …],
"dry_run": …, "refused": sentence}`: the rows and files that were removed, or would be; what stays for a time, and until
when; null, or of a dry run why `--yes` would be refused, and what to do. Keys are added, never renamed.
"""

import json
from typing import Annotated

import typer

from emag_pipeline.admin import forget as account_rows
from emag_pipeline.admin.forget import files_of, remove_files, what_stays
from emag_pipeline.errors import SettingsError
from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.settings import Settings, is_account_name, load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.accounts import host_of, is_same
from emag_pipeline.wording import counted


def forget(
    account: Annotated[str, typer.Argument(help="An account that is no longer configured.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Remove it; without this, only say what would be removed.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed, as without --yes.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of lines.")] = False,
) -> None:
    """Remove all that is kept of an account: offers, history, marts, ledger, calls, quarantine, incidents, its report.

    Says what stays for a time: logs of all accounts, Dagster's runs, what was written elsewhere.

    Nothing brings it back but a backup. Refused for an account that is configured, unless its offers came from another
    marketplace than the one that is set now (as after a trial on the sandbox), and while a sync of it runs. What would
    be removed is said all the same.
    """
    if yes and dry_run:
        raise SettingsError(
            "--yes and --dry-run exclude each other",
            why="the one removes, the other does not",
            remedy="Give one of them; nothing was removed",
        )
    settings = load_settings()
    if not is_account_name(account):
        raise SettingsError(
            f"{account!r} is no name of an account",
            why="such names are lower case letters, digits and _",
            remedy="`emag-pipeline status` names the accounts that are kept",
        )
    with looked_into(settings) as database:
        refusal = _refusal(database, settings, account)
        if yes and refusal is not None:
            raise refusal
        found = account_rows.remove(database, account) if yes else account_rows.count(database, account)
    files = [str(file) for file in (remove_files if yes else files_of)(settings, account)]
    if as_json:
        document = {"account": account, "removed": found, "files": files, "stays": what_stays(settings)}
        refused = None if refusal is None else refusal.message
        typer.echo(json.dumps({**document, "dry_run": not yes, "refused": refused}, indent=2, ensure_ascii=False))
        return
    done = "removed" if yes else "would be removed"
    for table, rows in found.items():
        typer.echo(f"{table}: {counted(rows, 'row')} {done}")
    for file in files:
        typer.echo(f"{file}: {done}")
    if not (found or files):
        typer.echo(f"{account}: nothing is kept of it")
        return
    for sentence in what_stays(settings):
        typer.echo(f"stays: {sentence}")
    if refusal is not None:
        typer.echo(f"nothing was removed, and --yes is refused: {refusal.message}")
    elif not yes:
        typer.echo(f"nothing was removed; `emag-pipeline forget {account} --yes` does it, and nothing brings it back")


def _refusal(database: Database, settings: Settings, account: str) -> SettingsError | None:
    """Why the account may not be removed, with what to do; None when it may."""
    configured = next((one for one in settings.accounts if one.name == account), None)
    if configured is None:
        return None
    host = host_of(database, account)
    if host is not None and not is_same(host, configured.host):
        return None
    return SettingsError(
        f"the account {account} is configured",
        why="the next sync would read it again",
        remedy=_way_out(settings, account),
    )


def _way_out(settings: Settings, account: str) -> str:
    if not settings.uses_sandbox:
        return "Take it out of the settings first (EMAG_ACCOUNTS, its credentials)"
    others = [one.name for one in settings.accounts if one.name != account]
    left_out = f"set EMAG_ACCOUNTS={','.join(others)}" if others else "name another account in EMAG_ACCOUNTS"
    return (
        "Set the credentials of your own account: what came from the sandbox may then be removed. To do without "
        f"{account} on the sandbox, {left_out} first"
    )
