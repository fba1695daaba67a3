"""Every page: what it costs, and that nothing on it leads nowhere."""

import re
from collections import Counter, deque
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from werkzeug.exceptions import HTTPException

import evcharge.app as app_module
from demo_site import PAGES, Site, load, load_twice, open_site

# Two demos are loaded for all of it: once, not on each worker.
pytestmark = pytest.mark.xdist_group("pages")

# For programs. What they ask is counted where they are tested.
HEALTH = {"/healthz", "/readyz", "/metrics"}
# Its address is signed, and the demo has nobody without an account.
FOR_GUESTS = {"/guest-payments/<token>/return"}
API = "/api/v1/"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    load(folder)
    return folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    with open_site(folder) as site:
        yield site


@pytest.fixture(scope="module")
def twice(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    bigger = tmp_path_factory.mktemp("twice")
    load_twice(bigger, folder)
    with open_site(bigger) as site:
        yield site


def cost(site: Site, role: str, address: str) -> int:
    browser = site.browser(role)
    # What the home page counts now and then is counted each time here.
    site.app.extensions.pop("evcharge.tally", None)
    with site.statements() as sent, browser.get(address.format_map(site.ids)) as answer:
        assert answer.get_data()
    on_its_way = 303 if "/return" in address else 200
    assert answer.status_code == on_its_way, (answer.status_code, answer.location)
    return len(sent)


@pytest.mark.parametrize(("role", "address", "most"), PAGES)
def test_a_page_costs_few_statements_and_no_more_when_there_is_more(
    site: Site, twice: Site, role: str, address: str, most: int
) -> None:
    few = cost(site, role, address)

    assert few <= most
    assert cost(twice, role, address) == few


def test_the_table_has_every_page(site: Site) -> None:
    listed = {known_rule(site, address_of(site, address)) for _, address, _ in PAGES}

    pages = {
        rule.rule
        for rule in site.app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint != "static"
        if not rule.rule.startswith(API)
    }
    assert pages - HEALTH - FOR_GUESTS - listed == set()


def address_of(site: Site, address: str) -> str:
    return urlsplit(address.format_map(site.ids)).path


# ── following every link ─────────────────────────────────────────────────────────

LINK = re.compile(r'<a\b[^>]*\shref="([^"]*)"|<link\b[^>]*\shref="([^"]*)"')
ASSET = re.compile(r'(?:src|href)="(/static/[^"#]+)')
ICON = re.compile(r'icons\.svg[^"#]*#([a-z0-9-]+)"')
# Of the pages that differ only in what they are about, so many are looked at.
OF_A_KIND = 5


class Crawler:
    """Follows links as somebody would who presses everything that only shows."""

    def __init__(self, site: Site, role: str) -> None:
        self.dead: list[str] = []
        self.seen: Counter[str] = Counter()
        self.assets: set[str] = set()
        self.icons: set[str] = set()
        self._browser = site.browser(role)
        self._addresses = site.app.url_map.bind("localhost")
        self._asked: set[str] = set()
        self._waiting: deque[tuple[str, str]] = deque()

    def crawl(self, *starts: str) -> "Crawler":
        self._waiting.extend((start, "the start") for start in starts)
        while self._waiting:
            self._visit(*self._waiting.popleft())
        return self

    def _visit(self, address: str, found_on: str) -> None:
        kind = self._kind(address)
        if address in self._asked or self.seen[kind] >= OF_A_KIND:
            return
        self._asked.add(address)
        self.seen[kind] += 1
        with self._browser.get(address) as answer:
            if answer.status_code >= 400:
                self.dead.append(f"{answer.status_code} {address} (on {found_on})")
            elif answer.location:
                self._waiting.append((answer.location, address))
            elif answer.mimetype == "text/html":
                self._read(answer.get_data(as_text=True), address)

    def _kind(self, address: str) -> str:
        try:
            rule, _ = self._addresses.match(urlsplit(address).path, return_rule=True)
        except HTTPException:
            return address
        return str(rule.rule)

    def _read(self, page: str, address: str) -> None:
        self.assets |= {unescape(each) for each in ASSET.findall(page)}
        self.icons |= set(ICON.findall(page))
        for link in LINK.finditer(page):
            target = urldefrag(urljoin(address, unescape(link[1] or link[2] or "")))[0]
            if target.startswith("/") and not target.startswith("/static/"):
                self._waiting.append((target, address))


@pytest.mark.parametrize("role", ["nobody", "driver", "operator", "admin"])
def test_no_link_leads_nowhere(site: Site, role: str) -> None:
    starts = ["/", "/admin/"] if role in ("operator", "admin") else ["/"]

    crawler = Crawler(site, role).crawl(*starts)

    assert crawler.dead == []
    assert len(crawler.seen) >= {"nobody": 5, "driver": 9}.get(role, 25)
    for asset in crawler.assets:
        with site.browser("nobody").get(asset) as answer:
            assert answer.status_code == 200, asset
    assert crawler.icons <= sprite()


def test_every_page_can_be_reached_by_pressing_links(site: Site) -> None:
    reached = set(Crawler(site, "nobody").crawl("/").seen)
    reached |= set(Crawler(site, "driver").crawl("/").seen)
    reached |= set(Crawler(site, "admin").crawl("/").seen)

    rules = {known_rule(site, address_of(site, address)) for _, address, _ in PAGES}
    assert rules - reached == {
        "/locations/cards",  # Scripts fetch it.
        "/payments/<uuid:payment_id>/return",  # The gateway leads here,
        "/simulated-gateway/<ref>",  # and the button to pay leads there.
        # A guest's own link leads there.
        "/visits/<token>",
        "/visits/<token>/stop",
        "/visits/<token>/documents/<uuid:document_id>",
        "/visits/<token>/documents/<uuid:document_id>.pdf",
        "/admin/users/<int:user_id>/reinstate",  # Nobody is suspended in the demo.
    }


def known_rule(site: Site, path: str) -> str:
    rule, _ = site.app.url_map.bind("").match(path, return_rule=True)
    return str(rule.rule)


def sprite() -> set[str]:
    path = Path(app_module.__file__).parent / "web/static/vendor/icons.svg"
    return set(re.findall(r'<symbol[^>]*\bid="([^"]+)"', path.read_text()))
