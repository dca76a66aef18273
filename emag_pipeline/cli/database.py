"""The commands on the database as a whole: migrate, roles, psql, backup, restore, prune and forget.

Each imports its own slice: `roles` needs no server, and `prune` needs Dagster.
"""

import re
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ConfigDict, Field

from emag_pipeline.cli.arguments import JsonOption
from emag_pipeline.errors import SettingsError
from emag_pipeline.json_output import JsonModel, json_text
from emag_pipeline.settings import Settings, is_account_name, load_settings
from emag_pipeline.wording import counted


def migrate() -> None:
    """Migrate the database schema to the version of this program.

    Creates the schema (DB_SCHEMA) if it is missing. Several migrations at once are safe. A database that is newer than
    the program is refused. `up` does the same at each start. Where the roles of `emag-pipeline roles` exist, run it as
    emag_owner: it grants the writer and the readers their privileges.
    """
    from emag_pipeline.local.surroundings import databases, migrated, opened

    settings = load_settings()
    with databases(settings) as found, opened(found, settings) as database:
        done = migrated(database, always_grants=True, is_embedded=settings.database_url is None)
    how = "already at" if done.before == done.after else f"migrated from {done.before or 'nothing'} to"
    rights = "; privileges granted" if done.are_rights_granted else ""
    typer.echo(f"schema {settings.db_schema} of {found.shown}: {how} {done.after}{rights}")


def roles() -> None:
    """Print the SQL that creates the database roles: an owner, a writer, and a group of readers.

    A superuser runs it in the pipeline's database, and can run it again at any time: `emag-pipeline roles | psql -d
    emag`. This command connects to nothing. Afterwards, `migrate` run as emag_owner grants the privileges on the
    tables.
    """
    from emag_pipeline.store import roles as database_roles

    typer.echo(database_roles.script(load_settings().db_schema), nl=False)


def psql(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ARGUMENT", help="Passed to psql, e.g. -c 'SELECT …'; put -h and --help for psql after --."
        ),
    ] = None,
    print_only: Annotated[
        bool, typer.Option("--print", help="Print how a BI tool connects as a reader, instead of opening psql.")
    ] = False,
) -> None:
    """Open psql on the database with the offers, the embedded or the configured one.

    If the embedded PostgreSQL is not running, it is started for the duration. Its tables can be named without their
    schema, and psql connects to it as superuser; `--print` shows the reader. Exits with psql's own code: 0 success, 1
    psql failed, 2 connection lost, 3 error in a script.
    """
    from emag_pipeline.admin.postgres_programs import connection_values, open_psql

    settings = load_settings()
    if print_only:
        values, remark = connection_values(settings)
        for name, value in values.items():
            typer.echo(f"{name:9} {value}")
        typer.echo(remark, err=True)
    else:
        raise typer.Exit(open_psql(settings, arguments or []))


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, e.g. emag.dump; mode 0600.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write the schema with all its tables to one file (pg_dump's custom format), while syncs continue.

    It contains the state of one moment, without staging, which a sync reads again. `restore` reads it. Needs a pg_dump
    that is not older than the server; one comes with the package. Dagster's own database is not included.
    """
    from emag_pipeline.admin.backup import backup as back_up
    from emag_pipeline.console import Narrator
    from emag_pipeline.local.stop_signals import StopSignals

    narrator = Narrator()
    with StopSignals() as signals:
        done = back_up(load_settings(), file, force=force, say=narrator.say, wait=signals.wait)
    narrator.say(f"{done.file}: {done.bytes / 1e6:,.1f} MB in {done.seconds:.1f} s, schema version {done.revision}")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `emag-pipeline backup` wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace the existing data.")] = False,
) -> None:
    """Fill the schema DB_SCHEMA from a backup, all or nothing: readers see the old state until it is complete.

    An older backup is migrated on the way; one of a newer version is refused. So is a target that holds data (without
    --replace), and any target while a sync runs. A schema of another name or a database on another server works too.
    """
    from emag_pipeline.admin.restore import restore as restore_file
    from emag_pipeline.console import Narrator

    narrator = Narrator()
    done = restore_file(load_settings(), file, replace=replace, say=narrator.say)
    version = done.now_at if done.now_at == done.revision else f"{done.revision}, migrated to {done.now_at}"
    narrator.say(f"restored {counted(done.rows, 'row')} in {done.seconds:.1f} s, schema version {version}")
    narrator.say("the next sync continues from there; Dagster's own run history was not touched")


_HOURS = {"h": 1, "d": 24, "w": 168}
#: Younger data are what people look at when something has just gone wrong.
_LEAST_DAYS = 1.0
_KINDS = {
    "syncs": ("ledger row", "ledger rows"),
    "rejects": ("quarantined row whose sync is gone", "quarantined rows whose sync is gone"),
    "payloads": ("payload of a row that stays in quarantine", "payloads of rows that stay in quarantine"),
    "surprises": ("surprise in responses that did not recur", "surprises in responses that did not recur"),
    "requests": ("call in the request log", "calls in the request log"),
    "check_results": (
        "result of a check that is no longer evaluated",
        "results of checks that are no longer evaluated",
    ),
    "incidents": ("closed incident", "closed incidents"),
    "staged_rows": ("staged row that no sync can use any more", "staged rows that no sync can use any more"),
    "dagster_runs": ("Dagster run, with events and output", "Dagster runs, with events and output"),
}


class RemovedJson(JsonModel):
    """How many of each kind were removed, or would be."""

    model_config = ConfigDict(extra="forbid")  # a kind without a field must not go unreported

    syncs: int = Field(description="Ledger rows.")
    rejects: int = Field(description="Quarantined rows whose sync is gone.")
    payloads: int = Field(description="Payloads of rows that stay in quarantine.")
    surprises: int = Field(description="Surprises in responses that did not recur.")
    requests: int = Field(description="Calls in the request log.")
    check_results: int = Field(description="Results of checks that are no longer evaluated.")
    incidents: int = Field(description="Closed incidents.")
    staged_rows: int = Field(description="Staged rows that no sync can use any more.")
    dagster_runs: int = Field(description="Dagster runs, with their events and output.")


class PruneJson(JsonModel):
    """What was removed because of its age."""

    older_than_days: float = Field(description="The age, in days.")
    dry_run: bool = Field(description="Whether nothing was removed.")
    removed: RemovedJson = Field(description="The number of each kind.")


def prune(
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="A number with h, d or w (hours, days, weeks), such as 30d; at least 1d.")
    ] = "30d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove old ledger rows, calls, quarantined rows, incidents, staging remains and Dagster runs.

    The job `maintenance` does this every day. Kept whatever their age: each account's newest sync and newest success, a
    refused scan that can still be approved, the reason of each flagged offer, and Dagster runs that are in progress or
    hold a partition's newest materialization. The request log always keeps the 30 days that the marketplace requires.
    Offers, their history and counters are never touched. Safe while syncs run.
    """
    from emag_pipeline.retention.prune import REQUESTS_DAYS

    days = _days(older_than)
    removed = _prune(load_settings(), days, dry_run=dry_run)
    if as_json:
        found = RemovedJson.model_validate(removed)
        typer.echo(json_text(PruneJson(older_than_days=days, dry_run=dry_run, removed=found)))
        return
    verb = "would be removed" if dry_run else "removed"
    for name, number in removed.items():
        typer.echo(f"{counted(number, *_KINDS[name])} {verb}")
    if days < REQUESTS_DAYS:
        typer.echo(f"calls are always kept for {REQUESTS_DAYS:.0f} days: the marketplace requires it")


def _prune(settings: Settings, days: float, *, dry_run: bool) -> dict[str, int]:
    """What the job `maintenance` does every day. Nothing is removed before both databases were reached."""
    from emag_pipeline.dagster_runs import instance, past_runs
    from emag_pipeline.local.embedded_use import looked_into
    from emag_pipeline.retention import prune as retention

    with looked_into(settings) as database, instance.opened(settings) as dagster:
        removed = retention.prune(database, days, dry_run=dry_run)
        return {**removed, "dagster_runs": past_runs.prune(dagster, days, dry_run=dry_run)}


def _days(text: str) -> float:
    age = re.fullmatch(r"(\d{1,5})([dhw])", text, re.ASCII)
    if age is None:
        raise SettingsError(f"--older-than is {text!r}", remedy="Give a number with h, d or w, such as 30d")
    days = int(age[1]) * _HOURS[age[2]] / 24
    if days < _LEAST_DAYS:
        raise SettingsError(
            f"--older-than is {text!r}, less than a day",
            why="today's Dagster runs, the last syncs and the newest quarantined rows would be removed",
            remedy="Give 1d or more; nothing was removed",
        )
    return days


class ForgetJson(JsonModel):
    """What was removed of an account."""

    account: str = Field(description="The account.")
    removed: dict[str, int] = Field(description="Rows removed, or that would be, by table; tables without any omitted.")
    files: list[str] = Field(description="Files removed, or that would be.")
    stays: list[str] = Field(description="What stays for a time and until when, a sentence each.")
    dry_run: bool = Field(description="Whether nothing was removed.")
    refused: str | None = Field(
        description="For a dry run, why `--yes` would be refused and what to do; null if it would not."
    )


def forget(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="An account that is no longer configured.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Remove it. Without this, only show what would be removed.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be removed, as without --yes.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove everything kept of an account: offers, history, marts, ledger, calls, quarantine, incidents, its report.

    Also lists what is kept temporarily: logs of all accounts, Dagster's runs, and files written elsewhere.

    Only a backup can bring it back. Refused while a sync of the account runs, and for an account that is configured,
    unless its offers came from another marketplace than the one configured now (as after a trial on the sandbox). What
    would be removed is shown all the same. An account that is neither configured nor known any more is refused, as a
    name that may be misspelt: once it was forgotten, nothing is left that tells the two apart.
    """
    from emag_pipeline.admin import forget as account_rows
    from emag_pipeline.local.embedded_use import looked_into

    if yes and dry_run:
        raise SettingsError(
            "--yes and --dry-run exclude each other",
            why="one removes, the other does not",
            remedy="Give one of them; nothing was removed",
        )
    settings = load_settings()
    if not is_account_name(account):
        raise SettingsError(
            f"{account!r} is not the name of an account",
            why="names consist of lower-case letters, digits and _",
            remedy="`emag-pipeline status` lists the accounts that are kept",
        )
    with looked_into(settings) as database:
        account_rows.require_known(database, settings, account)
        refusal = account_rows.refusal(database, settings, account)
        if yes and refusal is not None:
            raise refusal
        found = account_rows.remove(database, account) if yes else account_rows.count(database, account)
    remove_files = account_rows.remove_files if yes else account_rows.files_of
    files = [str(file) for file in remove_files(settings, account)]
    document = ForgetJson(
        account=account,
        removed=found,
        files=files,
        stays=account_rows.what_stays(settings),
        dry_run=not yes,
        refused=None if refusal is None else refusal.message,
    )
    typer.echo(json_text(document) if as_json else "\n".join(_forgotten(document)))


def _forgotten(document: ForgetJson) -> list[str]:
    if not (document.removed or document.files):
        return [f"{document.account}: nothing is kept of it"]
    done = "would be removed" if document.dry_run else "removed"
    lines = [f"{table}: {counted(rows, 'row')} {done}" for table, rows in document.removed.items()]
    lines += [f"{file}: {done}" for file in document.files]
    lines += [f"stays: {sentence}" for sentence in document.stays]
    if document.refused is not None:
        lines.append(f"nothing was removed, and --yes is refused: {document.refused}")
    elif document.dry_run:
        command = f"emag-pipeline forget {document.account} --yes"
        lines.append(f"nothing was removed; `{command}` does it, and only a backup can bring it back")
    return lines
