"""Variables of ours that are set, and that nothing reads: most likely they are misspelt."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import starmap

from emag_pipeline.settings import Settings
from emag_pipeline.settings.env_file import IS_READ

OF_AN_ACCOUNT = re.compile(r"EMAG_(?:(?P<account>[A-Z][A-Z0-9_]*)_)?API_(?:USERNAME|PASSWORD|BASE_URL)")
#: read by the pipeline's own processes, tests and containers
_OWN = {
    "EMAG_UP_HOME", IS_READ, "EMAG_SANDBOX", "EMAG_NO_SKIP", "EMAG_ALONE_SECONDS", "EMAG_RANDOMISED_EXAMPLES",
    "EMAG_RANDOMISED_SEED", "EMAG_SECRETS", "EMAG_VERSION",
}  # fmt: skip
_DATABASE = {"DATABASE_SYNC_URL", "DATABASE_URL", "DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASS", "DB_SCHEMA"}
#: other software has variables of these prefixes too: only what is nearly one of ours is ours to tell of
_SHARED = ("DATABASE_", "DB_")
#: A slip is looked for in so many words of a name; in a shorter word one letter makes another word.
_MOST_SLIPS, _SHORTEST = 2, 4
#: what is meant by names that look less alike
_USUAL = {"DB_HOSTNAME": "DB_HOST", "DB_PSWD": "DB_PASS", "DB_PWD": "DB_PASS"}


def unread(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is wrong with each, and what to do; no value in either."""
    for name in sorted(given):
        account = OF_AN_ACCOUNT.fullmatch(name)
        if account is not None:
            if (of := account["account"]) and _is_left_out(of.lower(), given):
                what = f"{name} is set, but EMAG_ACCOUNTS does not name {of.lower()}"
                yield what, "Add it to EMAG_ACCOUNTS, or unset the variable"
        elif name not in known() and (name.startswith("EMAG_") or _of_database(name) or _slip(name)):
            yield f"{name} is set, and nothing reads it", _advice(name)


def known() -> set[str]:
    """The names of all variables that are read, but those of accounts other than `main`."""
    aliases = {str(field.alias) for field in Settings.model_fields.values() if field.alias}
    return aliases | _OWN | _DATABASE | _of_account("") | {"EMAG_ACCOUNTS", "DAGSTER_PG_URL"}


def _slip(name: str) -> str:
    """The variable of ours that is meant by a name with a slip of the pen, in its prefix too; empty for any other.

    Word by word, in two words at most: names of other software are never so near.
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
    """Whether two neighbouring letters are swapped, or one is wrong, missing or too many; short words only swapped."""
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
    """Which variable of the database is meant; empty for one of other software."""
    return _USUAL.get(name, "") or (_near(name, _DATABASE) if name.startswith(_SHARED) else "")


def _advice(name: str) -> str:
    account = re.match(r"EMAG_([A-Z0-9_]+_)A", name)
    near = _of_database(name) or _slip(name) or _near(name, known() | (_of_account(account[1]) if account else set()))
    return f"Perhaps {near} is meant" if near else "Unset it, or look for its right name in .env.example"


def _near(name: str, names: set[str]) -> str:
    return next(iter(get_close_matches(name, names, n=1, cutoff=0.77)), "")
