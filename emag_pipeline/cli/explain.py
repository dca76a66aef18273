"""`emag-pipeline explain`: sentences for people, JSON for programs.

The JSON is an object:

account, emag_offer_id, name
can_be_bought      whether a customer can buy it, as last published; false for an offer that is gone
since              since when that is so without a break, as far back as the account's first publish (known_since); of
                   an offer that is gone, as it was before
conditions         each {name, value, value_since, holds, since, reasons, said}: value_since is since when that very
                   value stands, since since when the condition holds, or does not; reasons each {code, reason, remedy,
                   since}, empty when it holds; said is what the marketplace says of it, one sentence a verdict
deleted_at         since when it is gone, null while it is there
rejected_at, reject_reason   since when its newest reading is in quarantine, and why the last one is; else null
known_since        the account's first publish: what is so since then may have been so before
last_publish_at    the account's last publish
oldest_page_at     when the oldest page of that publish was read: how current all this is
is_stale           whether that is longer ago than EMAG_SYNC_STALE_AFTER_HOURS, and than two scans

Times are ISO 8601 in UTC. Keys are added, never renamed.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from textwrap import fill
from typing import Any

import typer
from rich.text import Text

from emag_pipeline.admin.explain import Condition, Explanation
from emag_pipeline.admin.explain import explain as explain_offer
from emag_pipeline.admin.history import at, one_line, title
from emag_pipeline.admin.history import since as since_words
from emag_pipeline.cli.history import Account, AsJson, OfferId
from emag_pipeline.console import console
from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.sync.account_health import is_stale, published_words
from emag_pipeline.wording import age, iso


def explain(account: Account, offer_id: OfferId, as_json: AsJson = False) -> None:
    """Say in words why an offer can or cannot be bought, since when, and what to do about it.

    Every condition with its value, what the marketplace itself says, and how current our copy is. Only reads.
    """
    settings = load_settings()
    name = settings.account(account).name
    with looked_into(settings) as database:
        found = explain_offer(database, name, offer_id, settings.language_of(name))
    if as_json:
        typer.echo(json.dumps(_described(found, settings), indent=2, ensure_ascii=False))
        return
    onto = console()
    for text, style in _lines(found, settings, datetime.now(UTC)):
        indent = " " * (len(text) - len(text.lstrip()))
        folded = fill(text, onto.width, subsequent_indent=indent) if onto.is_terminal else text
        onto.print(Text(folded, style), soft_wrap=True)


def _described(found: Explanation, settings: Settings) -> dict[str, Any]:
    return {
        "account": found.offer.account,
        "emag_offer_id": found.offer.emag_offer_id,
        "name": found.offer.name,
        "can_be_bought": found.can_be_bought,
        "since": iso(found.since),
        "conditions": [_condition(one) for one in found.conditions],
        "deleted_at": iso(found.offer.deleted_at),
        "rejected_at": iso(found.offer.rejected_at),
        "reject_reason": found.rejection and found.rejection.reason,
        "known_since": iso(found.offer.known_since),
        "last_publish_at": iso(found.account.last_publish_at),
        "oldest_page_at": iso(found.account.oldest_page_at),
        "is_stale": is_stale(found.account, settings),
    }


def _condition(one: Condition) -> dict[str, Any]:
    return {
        "name": one.name,
        "value": one.value,
        "value_since": iso(one.value_since),
        "holds": one.holds,
        "since": iso(one.since),
        "reasons": [
            {"code": why.code, "reason": why.issue.reason, "remedy": why.issue.remedy, "since": iso(why.since)}
            for why in one.reasons
        ],
        "said": list(one.said),
    }


Line = tuple[str, str]


def _lines(found: Explanation, settings: Settings, now: datetime) -> Iterator[Line]:
    """Each with its style."""
    yield title(found.offer), "bold"
    yield _verdict(found, now)
    for condition in found.conditions:
        yield from _condition_lines(condition, found.offer.known_since, now)
    yield from _copy_lines(found, settings)


def _verdict(found: Explanation, now: datetime) -> Line:
    gone = found.offer.deleted_at
    if gone is not None:
        since = f"It is gone since {_ago(gone, now)}: a complete scan did not show it, nor did a read by its id."
        return f"{since} Before that:", "red"
    first = ", the account's first publish" if found.since <= found.offer.known_since else ""
    since = f"{_since(found.since, found.offer.known_since, now)}{first}"
    if found.can_be_bought:
        return f"It can be bought, {since}.", "green"
    return f"It cannot be bought, {since}.", "red"


def _condition_lines(condition: Condition, known_since: datetime, now: datetime) -> Iterator[Line]:
    mark, style = ("✓", "green") if condition.holds else ("✗", "red")
    fact = "holds" if condition.holds else "does not hold"
    longer = (
        "" if condition.since == condition.value_since else f"; it {fact} {_since(condition.since, known_since, now)}"
    )
    value = f"{condition.value:12} {_since(condition.value_since, known_since, now)}"
    yield f"  {mark} {condition.name:21} {value}{longer}", style
    for why in condition.reasons:
        since = "" if why.since == condition.since else f", {_since(why.since, known_since, now)}"
        yield f"      {why.issue.reason}{since}. {why.issue.remedy}.", ""
    if condition.said:
        yield f"      The marketplace says: {'; '.join(condition.said)}", "dim"


def _copy_lines(found: Explanation, settings: Settings) -> Iterator[Line]:
    """How far all this can be relied upon."""
    if found.account.age_seconds is not None:
        stale = ", which is stale: `emag-pipeline status` says why" if is_stale(found.account, settings) else ""
        yield f"As {published_words(found.account)}{stale}.", "yellow" if stale else ""
    if found.rejection is not None and found.offer.rejected_at is not None:
        since = f"Since {at(found.offer.rejected_at)} its reading is in quarantine ({one_line(found.rejection.reason)})"
        yield f"{since}: this is its last good state, the marketplace may show another one.", "yellow"


def _since(moment: datetime, known_since: datetime, now: datetime) -> str:
    return f"{since_words(moment, known_since)} ({age((now - moment).total_seconds())})"


def _ago(moment: datetime, now: datetime) -> str:
    return f"{at(moment)} ({age((now - moment).total_seconds())})"
