"""The report as people open it: in a real browser, from a file, without a network."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from emag_pipeline import report
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.report import Facts
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.browser.pages import CHROMIUM
from emag_pipeline_tests.databases import copied
from emag_pipeline_tests.report.shops import HOSTILE, open_shop

pytestmark = [pytest.mark.services, pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")]

#: How many lines the text of each element takes.
_LINES = """all => all.map(one => {
    const range = document.createRange(); range.selectNodeContents(one);
    return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size })"""
_WIDTHS = {"desk": 1200, "phone": 375}


@dataclass
class _Seen:
    """What a page asked for and complained about."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


Scheme = Literal["light", "dark"]
Open = Callable[..., tuple[Page, _Seen]]


@pytest.fixture(scope="module")
def files(cluster: EmbeddedServer, template: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report of an account with ten days behind it, and that of one of which nothing is known."""
    files = {account: tmp_path_factory.mktemp("reports") / f"{account}.html" for account in ("main", "fbe")}
    with copied(cluster, template, "report_shop") as url, closing(Database(url)) as database:
        open_shop(database)
        for account, file in files.items():
            report.write(file, report.page(report.facts_of(database, account)))
    return files


@pytest.fixture(scope="module")
def shop_facts(cluster: EmbeddedServer, template: str) -> Iterator[Facts]:
    """What a shop's report tells, to be exaggerated."""
    with copied(cluster, template, "report_facts") as url, closing(Database(url)) as database:
        open_shop(database)
        yield report.facts_of(database, "main")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Opens a file at a width and in a colour scheme, offline; closes it after the test."""
    with ExitStack() as contexts:

        def open_(file: Path, width: int = 1200, scheme: Scheme = "light") -> tuple[Page, _Seen]:
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
            contexts.callback(context.close)
            context.route(lambda url: not url.startswith("file:"), lambda route: route.abort())
            page, seen = context.new_page(), _Seen()
            page.on("request", lambda request: seen.requests.append(request.url))
            page.on("console", lambda message: seen.complaints.append(message.text))
            page.on("pageerror", lambda error: seen.complaints.append(str(error)))
            page.on("dialog", lambda dialog: seen.complaints.append(dialog.message))
            page.goto(file.as_uri())
            return page, seen

        yield open_


def test_it_asks_for_nothing_but_itself_and_complains_of_nothing(opened: Open, files: dict[str, Path]) -> None:
    for file in files.values():
        _, seen = opened(file)
        assert seen == _Seen([file.as_uri()], [])


def test_texts_of_strangers_stay_texts(opened: Open, files: dict[str, Path]) -> None:
    page, _ = opened(files["main"])
    assert page.locator("script, b").count() == 0
    name = HOSTILE.replace("\u0007", "\ufffd")
    assert page.locator("tbody th bdi").evaluate_all("(all, name) => all.some(one => one.textContent === name)", name)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", _WIDTHS.values(), ids=_WIDTHS)
def test_axe_finds_nothing_that_keeps_people_out(
    opened: Open, files: dict[str, Path], width: int, scheme: Scheme
) -> None:
    for file in files.values():
        page, _ = opened(file, width, scheme)
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("width", [1200, 768, 375, 320])
def test_nothing_is_wider_than_the_screen(opened: Open, files: dict[str, Path], width: int) -> None:
    for file in files.values():
        page, _ = opened(file, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1200, 1024, 768, 375])
def test_no_table_leaves_its_section(opened: Open, files: dict[str, Path], width: int) -> None:
    page, _ = opened(files["main"], width)
    right = "one.getBoundingClientRect().right > one.closest('section').getBoundingClientRect().right"
    assert page.locator("section table").evaluate_all(f"all => all.filter(one => {right}).length") == 0


@pytest.mark.parametrize("width", [1200, 768, 375, 320])
@pytest.mark.parametrize("value", ["34996682", "10330496000", "99999999999999"])
def test_no_number_breaks(opened: Open, shop_facts: Facts, tmp_path: Path, value: str, width: int) -> None:
    head = replace(shop_facts.headline, stock_value=Decimal(value), offers=int(value), saleable=int(value) // 3)
    held = [replace(one, value_held_back=Decimal(value)) for one in shop_facts.held_back]
    file = tmp_path / "large.html"
    issues = [
        replace(one, value_held_back=Decimal(value), sales_lost_a_day=Decimal(value)) for one in shop_facts.issues
    ]
    report.write(file, report.page(replace(shop_facts, headline=head, held_back=held, issues=issues)))
    page, _ = opened(file, width)
    assert page.locator(".figure").evaluate_all(_LINES) == [1] * 6
    assert set(page.locator("td.n span").evaluate_all(_LINES)) == {1}
    stakes = page.locator(".tasks .stake")
    assert any(f"{int(value):,} RON" in one for one in stakes.all_inner_texts())
    assert stakes.evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth).length") == 0
    if width > 700:
        assert set(stakes.evaluate_all(_LINES)) == {1}
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_charts_take_the_colours_of_the_dark(opened: Open, files: dict[str, Path]) -> None:
    def ink(scheme: Scheme) -> str:
        page, _ = opened(files["main"], 1200, scheme)
        found: str = page.locator("#issues svg text").first.evaluate("one => getComputedStyle(one).fill")
        return found

    assert (ink("light"), ink("dark")) == ("rgb(28, 36, 48)", "rgb(231, 235, 241)")


def test_the_keyboard_reaches_the_numbers_at_the_first_step(opened: Open, files: dict[str, Path]) -> None:
    page, _ = opened(files["main"])
    page.keyboard.press("Tab")
    link = page.locator(".skip")
    assert link.evaluate("one => one === document.activeElement")
    assert link.bounding_box()["x"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_a_phone_shows_each_row_as_a_card_that_names_its_numbers(opened: Open, files: dict[str, Path]) -> None:
    page, _ = opened(files["main"], 375)
    cell = page.locator("#button td[data-label='Own price']").first
    assert cell.evaluate("one => getComputedStyle(one, '::before').content") == '"Own price"'
    assert page.locator("#button thead").first.bounding_box()["width"] <= 1  # type: ignore[index]


def test_paper_gets_dark_ink_on_white_whatever_the_screen_has(opened: Open, files: dict[str, Path]) -> None:
    page, _ = opened(files["main"], 1200, "dark")
    page.emulate_media(media="print", color_scheme="dark")
    style = "one => { const s = getComputedStyle(one); return [s.color, s.backgroundColor] }"
    assert page.locator("body").evaluate(style) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert page.pdf(format="A4").startswith(b"%PDF")
