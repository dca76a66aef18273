"""Links within the documents lead to files, and to headings in them, that exist."""

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_AT_THE_ROOT = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")
_PAGES = [*(_ROOT / name for name in _AT_THE_ROOT), *sorted((_ROOT / "docs").rglob("*.md"))]
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def _headings(page: Path) -> set[str]:
    """The fragments by which a page's headings are linked to, as GitHub makes them."""
    said = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in said}


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not heading or heading in _headings(target), link
