"""What code, SQL, tests and pages cite is in this repository: no document, section or heading that a reader lacks."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_API = "docs/marketplace-api.md"
#: Written by tools, or by whoever runs the pipeline in the checkout (.gitignore).
_NOT_OURS = {"__pycache__", "build", "dist", "storage", "logs", "history", "schedules"}
#: Never changed any more, whatever they cite.
_RELEASED = re.compile(r"emag_pipeline/store/migrations/versions/r?00(?:0[1-9]|10)_.*|CHANGELOG\.md")

_DOCUMENT = re.compile(r"[\w./-]*\w\.md\b(?!\()")
_OUTSIDE = re.compile(r"(?<![\w-])shared/|(?<!RFC \d{4}, )\bsections? \d+")
_MENTION = re.compile(r"marketplace-api\.md(?![\"`)\]#])")
_CITATION = re.compile(r"marketplace-api\.md((?:, (?:and )?\"[^\"]+\")+)")
_LINE_BREAK = re.compile(r"\s*\n\s*(?:#:? |-- )?")


def _paths(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            is_hidden = path.name.startswith(".") and path.name != ".ci"
            if not is_hidden and path.name not in _NOT_OURS and path.suffix != ".egg-info":
                yield from _paths(path)
        elif path.name not in (".git", ".env"):
            yield path


def _texts() -> Iterator[tuple[str, str]]:
    """Every text file with its path in the repository."""
    for path in _paths(_ROOT):
        try:
            yield path.relative_to(_ROOT).as_posix(), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture


TEXTS = dict(_texts())
#: all but this file, whose samples are wrong on purpose
OURS = {
    path: text
    for path, text in TEXTS.items()
    if not _RELEASED.fullmatch(path) and not path.endswith(Path(__file__).name)
}
HEADINGS = re.findall(r"^#{2,} (.+)$", TEXTS[_API], re.MULTILINE)


def outside(text: str) -> list[str]:
    """What a text cites that this repository does not hold."""
    pages = [path for path in TEXTS if path.endswith(".md")]

    def is_here(cited: str) -> bool:
        name = cited.lstrip("./")
        return any(f"/{page}".endswith(f"/{name}") or f"/{name}".endswith(f"/{page}") for page in pages)

    documents = [one for one in _DOCUMENT.findall(text) if not is_here(one)]
    return documents + [one[0] for one in _OUTSIDE.finditer(text)]


def wrong_headings(text: str) -> list[str]:
    """Headings that a text cites and docs/marketplace-api.md lacks, wherever lines break."""
    on_one_line = _LINE_BREAK.sub(" ", text)
    cited = [heading for one in _CITATION.findall(on_one_line) for heading in re.findall(r'"([^"]+)"', one)]
    return [heading for heading in cited if heading not in HEADINGS]


def test_nothing_cites_a_document_outside_the_repository() -> None:
    assert {path: found for path, text in OURS.items() if (found := outside(text))} == {}


def test_every_cited_heading_of_the_api_page_exists() -> None:
    assert {path: found for path, text in OURS.items() if (found := wrong_headings(text))} == {}


def test_code_cites_the_api_page_by_heading() -> None:
    code = {path: _LINE_BREAK.sub(" ", text) for path, text in OURS.items() if path.endswith((".py", ".sql"))}
    mentions = {path: len(_MENTION.findall(text)) for path, text in code.items()}
    assert mentions == {path: len(_CITATION.findall(text)) for path, text in code.items()}
    assert sum(mentions.values()) > 40


def test_headings_of_the_api_page_are_unique_and_its_links_lead_to_them() -> None:
    assert sorted(set(HEADINGS)) == sorted(HEADINGS)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in HEADINGS}
    links = set(re.findall(r"\]\(#([^)]+)\)", TEXTS[_API]))
    assert links - anchors == set()


@pytest.mark.parametrize(
    "cited", ["facts-of-{}.md", "../{}.md", "docs/{}.md, section", "../shared/{}", "section 9 of {}"]
)
def test_a_citation_that_leads_outside_is_found(cited: str) -> None:
    assert outside(f"Source: {cited.format('elsewhere')}.")


@pytest.mark.parametrize(
    "cited", ["docs/faults.md", "[probe](how-to/probe.md)", "../privacy.md", "RFC 9110, section 10"]
)
def test_a_citation_that_a_reader_can_follow_is_none(cited: str) -> None:
    assert outside(f"Source: {cited}.") == []


def test_a_cited_heading_that_is_missing_is_found_across_lines() -> None:
    page = "marketplace-api.md"
    assert wrong_headings(f'#: see docs/{page},\n#: "Rate limits", "Rate\n#: limit".') == ["Rate limit"]
