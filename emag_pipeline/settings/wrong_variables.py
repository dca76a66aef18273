"""Messages about wrong variables: a value that is not allowed, a name that nothing reads."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from itertools import starmap
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from emag_pipeline.errors import SettingsError
from emag_pipeline.settings.env_file import IS_READ
from emag_pipeline.settings.model import Settings
from emag_pipeline.wording import shortened

# Messages about wrong values, derived from the constraints of the settings' fields.

_EXAMPLES = {
    "EMAG_LANGUAGE": "en",
    "EMAG_LOG_FORMAT": "json",
    "EMAG_HOME": "/srv/emag",
    "EMAG_ALERT_WEBHOOK_URL": "https://hooks.example.com/services/T0/B0/key",
}
_SECRET = {"EMAG_ALERT_WEBHOOK_URL"}


def wrong_value(problem: Mapping[str, Any], fields: Mapping[str, FieldInfo], given: Mapping[str, str]) -> SettingsError:
    """The error for one validation problem of the model: variable, value, allowed values, an example."""
    variable = str(problem["loc"][0])
    info = next((one for one in fields.values() if one.alias == variable), None)
    shown = "***" if variable in _SECRET else shortened(given.get(variable, ""))
    said = str(problem["msg"])
    needed = said.removeprefix("Value error, ") if problem["type"] == "value_error" or info is None else _needed(info)
    example = _example(variable, info)
    remedy = f"Set it like {variable}={example}" if example else ".env.example explains it"
    return SettingsError(f"{variable} is {shown}", why=needed, remedy=remedy)


def _needed(info: FieldInfo) -> str:
    kinds = get_args(info.annotation) if get_origin(info.annotation) not in (None, Literal) else (info.annotation,)
    for kind in kinds:
        if get_origin(kind) is Literal:
            return f"it must be one of {', '.join(get_args(kind))}"
    if bool in kinds:
        return "it must be 1 for yes or 0 for no"
    if date in kinds:
        return "a day is needed"
    if int in kinds or float in kinds:
        what = "a whole number" if int in kinds else "a number"
        return f"{what}{_range(info)} is needed"
    return "another value is needed"


def _range(info: FieldInfo) -> str:
    low = high = ""
    for one in info.metadata:
        if isinstance(one, Ge):
            low = f"from {one.ge:g}"
        elif isinstance(one, Gt):
            low = f"above {one.gt:g}"
        elif isinstance(one, Le):
            high = f"to {one.le:g}" if low.startswith("from") else f"up to {one.le:g}"
        elif isinstance(one, Lt):
            high = f"below {one.lt:g}"
    if low.startswith("from") and not high:
        high = "on"
    return "".join(f" {part}" for part in (low, "and" if low.startswith("above") and high else "", high) if part)


def _example(variable: str, info: FieldInfo | None) -> str:
    if variable in _EXAMPLES or info is None:
        return _EXAMPLES.get(variable, "")
    default = info.default
    if isinstance(default, bool):
        return str(int(default))
    if isinstance(default, float):
        return f"{default:g}"
    return str(default) if isinstance(default, int | str | date) else ""


# Variables with the project's prefixes that nothing reads: most likely they are misspelt.

OF_AN_ACCOUNT = re.compile(r"EMAG_(?:(?P<account>[A-Z][A-Z0-9_]*)_)?API_(?:USERNAME|PASSWORD|BASE_URL)")
#: read by the pipeline's own processes, tests and containers
_OWN = {
    "EMAG_UP_HOME", IS_READ, "EMAG_SANDBOX", "EMAG_NO_SKIP", "EMAG_ALONE_SECONDS", "EMAG_RANDOMISED_EXAMPLES",
    "EMAG_RANDOMISED_SEED", "EMAG_SECRETS", "EMAG_VERSION",
}  # fmt: skip
_DATABASE = {"DATABASE_SYNC_URL", "DATABASE_URL", "DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASS", "DB_SCHEMA"}
#: prefixes that other software uses too: only names close to one of ours are reported
_SHARED = ("DATABASE_", "DB_")
#: At most this many words of a name may be misspelt; in words shorter than this a changed letter is not a typo.
_MOST_SLIPS, _SHORTEST = 2, 4
#: common other names, not similar enough to be recognised as typos
_USUAL = {"DB_HOSTNAME": "DB_HOST", "DB_PSWD": "DB_PASS", "DB_PWD": "DB_PASS"}


def unread(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Problem and remedy for each; neither contains a value."""
    for name in sorted(given):
        account = OF_AN_ACCOUNT.fullmatch(name)
        if account is not None:
            if (of := account["account"]) and _is_left_out(of.lower(), given):
                what = f"{name} is set, but EMAG_ACCOUNTS does not name {of.lower()}"
                yield what, "Add it to EMAG_ACCOUNTS, or unset the variable"
        elif name not in known() and (name.startswith("EMAG_") or _of_database(name) or _slip(name)):
            yield f"{name} is not a known setting", _advice(name)


def known() -> set[str]:
    """The names of all variables that are read, except those of accounts other than `main`."""
    aliases = {str(field.alias) for field in Settings.model_fields.values() if field.alias}
    return aliases | _OWN | _DATABASE | _of_account("") | {"EMAG_ACCOUNTS", "DAGSTER_PG_URL"}


def _slip(name: str) -> str:
    """The project's variable that a misspelt name means, also with a misspelt prefix; empty for any other name.

    Compared word by word, with typos in at most two words; names of other software are not that similar.
    """
    words = name.split("_")
    if _is_slip(words[0], "EMAG") and OF_AN_ACCOUNT.fullmatch(meant := "_".join(["EMAG", *words[1:]])):
        return meant
    for meant in sorted(known() - _OWN):
        pairs = [pair for pair in zip(words, meant.split("_"), strict=False) if pair[0] != pair[1]]
        if len(words) == meant.count("_") + 1 and len(pairs) <= _MOST_SLIPS and all(starmap(_is_slip, pairs)):
            return meant
    return ""


def _is_slip(said: str, meant: str) -> bool:
    """Whether two adjacent letters are swapped, or one is wrong, missing or extra; in short words only a swap."""
    differ = [place for place, (one, other) in enumerate(zip(said, meant, strict=False)) if one != other]
    if len(said) == len(meant):
        is_swapped = len(differ) == 2 and differ[1] == differ[0] + 1 and sorted(said) == sorted(meant)
        return (is_swapped and len(meant) >= 3) or (len(differ) == 1 and len(meant) >= _SHORTEST)
    longer, shorter = sorted((said, meant), key=len, reverse=True)
    is_one = any(longer[:place] + longer[place + 1 :] == shorter for place in range(len(longer)))
    return is_one and len(meant) >= _SHORTEST


def _of_account(account: str) -> set[str]:
    return {f"EMAG_{account}API_{what}" for what in ("USERNAME", "PASSWORD", "BASE_URL")}


def _is_left_out(account: str, given: Mapping[str, str]) -> bool:
    named = given.get("EMAG_ACCOUNTS")
    return named is not None and account not in [part.strip() for part in named.split(",")]


def _of_database(name: str) -> str:
    """The database variable that is meant; empty for a variable of other software."""
    return _USUAL.get(name, "") or (_near(name, _DATABASE) if name.startswith(_SHARED) else "")


def _advice(name: str) -> str:
    account = re.match(r"EMAG_([A-Z0-9_]+_)A", name)
    near = _of_database(name) or _slip(name) or _near(name, known() | (_of_account(account[1]) if account else set()))
    return f"Did you mean {near}?" if near else "Unset it, or look up the correct name in .env.example"


def _near(name: str, names: set[str]) -> str:
    return next(iter(get_close_matches(name, names, n=1, cutoff=0.77)), "")
