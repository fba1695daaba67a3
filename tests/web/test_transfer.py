import re

import pytest


@pytest.fixture
def fetch(client):
    """Fetch one asset whole: what is served is a file, to be closed."""

    def fetch(address, **headers):
        with client.get(address, headers=headers) as answer:
            return answer.headers, answer.get_data()

    return fetch


@pytest.fixture
def stylesheet(client):
    page = client.get("/login").text
    return re.search(r'"(/static/css/evcharge\.css[^"]*)"', page)[1]


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_text_travels_compressed(fetch, stylesheet, encoding):
    _, plain = fetch(stylesheet)

    headers, small = fetch(stylesheet, **{"Accept-Encoding": encoding})

    assert headers["Content-Encoding"] == encoding
    assert len(small) < len(plain) / 3


def test_an_asset_is_fetched_once_and_again_when_it_changes(fetch, stylesheet):
    assert re.search(r"\?v=[0-9a-f]{10}$", stylesheet)
    assert "immutable" in fetch(stylesheet)[0]["Cache-Control"]


def test_an_asset_without_a_version_is_asked_for_again(fetch):
    headers, _ = fetch("/static/js/swap.js")

    assert headers["Cache-Control"] == "no-cache"
    assert headers["ETag"]


def test_pages_are_not_kept_by_anyone(client):
    assert client.get("/login").headers["Cache-Control"] == "no-store"


def test_the_font_is_preloaded_from_where_the_stylesheet_takes_it(client, fetch):
    page = client.get("/login").text

    preloaded = re.search(r'"(/static/vendor/[^"]+woff2[^"]*)"\s+as="font"', page)[1]

    assert preloaded == "/static/vendor/inter.woff2"
    assert "../vendor/inter.woff2" in fetch("/static/css/evcharge.css")[1].decode()
    assert "max-age=" in fetch(preloaded)[0]["Cache-Control"]
