"""The files of an account that is forgotten: what goes with its rows, and what stays for a time.

What a person told to write somewhere (`export`, `report -o`, `backup`, `probe`) is known to nobody but that person.
"""

from pathlib import Path

from emag_pipeline.file_errors import of_os_error
from emag_pipeline.settings import Settings


def files_of(settings: Settings, account: str) -> list[Path]:
    """What the pipeline itself wrote of one account alone: its report, the logs of its runs by `sync`."""
    logs = sorted((settings.home / "logs").glob(f"sync-{account}.log*"))
    report = settings.home / "reports" / f"{account}.html"
    return [*([report] if report.exists() else []), *logs]


def remove_files(settings: Settings, account: str) -> list[Path]:
    """Remove them. Returns what was removed; raises PermanentError for what cannot be."""
    removed = files_of(settings, account)
    for file in removed:
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            what, remedy = "the file cannot be removed", "Correct its rights and run the command again"
            raise of_os_error(error, what, where=str(file), remedy=remedy) from error
    return removed


def what_stays(settings: Settings) -> list[str]:
    """What may still name the account or its offers, and until when; a sentence each."""
    return [
        f"logs of all accounts in {settings.home / 'logs'}: until `emag-pipeline up` was started four more times, "
        "or a log has grown by 40 MiB",
        "Dagster's runs of the account with their logs: 30 days, or until `emag-pipeline prune --older-than 1d`; of "
        "the newest run of each asset as long as Dagster's database",
        "backups, exports, reports and probe files that somebody had written elsewhere: until they are deleted",
    ]
