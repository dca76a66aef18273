"""Offers that the documents name are there for whoever tries the examples on the sandbox."""

import re
from pathlib import Path

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.sandbox.server import DEFAULT_ACCOUNTS

_ROOT = Path(__file__).parents[2]
_BEFORE = r"--offer |emag_offer_id (?:= |IN \()|(?:explain|history) main |\"(?:hide|remove)\": \["
_NAMED = re.compile(rf"(?:{_BEFORE})([0-9]+)")


def test_every_offer_that_is_named_exists_on_the_sandbox() -> None:
    pages = [_ROOT / "README.md", *sorted((_ROOT / "docs").rglob("*.md"))]
    named = {int(number) for page in pages for number in _NAMED.findall(page.read_text(encoding="utf-8"))}
    with SandboxServer(accounts=DEFAULT_ACCOUNTS) as market:
        there = set(market.ids("main"))
    assert len(named) >= 3
    assert named <= there, f"nobody finds {sorted(named - there)}"
