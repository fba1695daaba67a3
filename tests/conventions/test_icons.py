"""Every icon that a page asks for is in the sprite, and nothing else is."""

import re
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "evcharge"
WEB = SOURCE / "web"
LISTED = (WEB / "icons.txt").read_text().split()
# icon("plug"), empty("plug", …)
ASKED_FOR = re.compile(r"\b(?:icon|empty)\(\s*[\"']([a-z0-9-]+)[\"']")


def texts() -> list[str]:
    found = [*SOURCE.glob("**/*.html"), *SOURCE.glob("**/*.py")]
    return [path.read_text() for path in [*found, *WEB.glob("static/js/*.js")]]


def test_every_icon_that_a_template_names_is_listed() -> None:
    named = {name for text in texts() for name in ASKED_FOR.findall(text)}

    assert len(named) > 20
    assert named - set(LISTED) == set()


def test_every_listed_icon_is_used() -> None:
    everything = "\n".join(texts())

    assert [
        name for name in LISTED if not re.search(rf"[\"']{name}[\"']", everything)
    ] == []


def test_the_list_names_each_once() -> None:
    assert len(set(LISTED)) == len(LISTED)


def test_the_sprite_holds_what_is_listed() -> None:
    sprite = (WEB / "static" / "vendor" / "icons.svg").read_text()

    assert set(re.findall(r'<symbol[^>]*\bid="([^"]+)"', sprite)) == set(LISTED)
