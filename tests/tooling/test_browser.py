"""The browser the tests use starts, speaks our locale and can be looked at by axe."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import browser_support
from scripts import browser as prepared

STRICT = "default-src 'self'; script-src 'self'; style-src 'self'"
GOOD_PAGE = (
    '<!doctype html><html lang="en"><title>Chargers</title><main><h1>Chargers</h1>'
)
BAD_PAGE = GOOD_PAGE + '<img src="data:,"><input type="text">'


@pytest.fixture
def page(chromium):
    with browser_support.new_context(chromium) as context:
        yield context.new_page()


@pytest.fixture
def strict_site():
    """Serve BAD_PAGE under a Content-Security-Policy like ours."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Security-Policy", STRICT)
            self.end_headers()
            self.wfile.write(BAD_PAGE.encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_the_browser_shows_a_page_and_says_it_is_indian(page):
    page.goto("data:text/html;charset=utf-8,<h1>₹ 1,23,456</h1>")

    assert page.inner_text("h1") == "₹ 1,23,456"
    assert page.evaluate("navigator.language") == "en-IN"
    assert page.evaluate("new Date(0).getHours() * 60 + new Date(0).getMinutes()") == (
        5 * 60 + 30
    )


def test_axe_finds_nothing_on_a_good_page(page):
    page.goto(f"data:text/html;charset=utf-8,{GOOD_PAGE}")

    assert browser_support.axe_violations(page) == []


def test_axe_works_under_a_strict_policy_and_names_what_is_wrong(page, strict_site):
    page.goto(strict_site)

    found = {finding["id"]: finding for finding in browser_support.axe_violations(page)}

    assert {"image-alt", "label"} <= found.keys()
    assert found["label"]["impact"] == "critical"
    assert found["label"]["where"] == ["input"]


def test_a_missing_browser_is_a_clear_error(monkeypatch, tmp_path):
    monkeypatch.setattr(prepared, "system_chromium", lambda: None)
    monkeypatch.setattr(prepared, "NPM_CHROMIUM", tmp_path / "chromium")

    with pytest.raises(FileNotFoundError, match="make browser"):
        browser_support.chromium_path()
