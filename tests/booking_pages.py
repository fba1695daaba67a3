"""What the tests of pages read off a page, and send as its forms would."""

import re
from datetime import datetime
from html import unescape
from typing import Any

from evcharge.bookings.rules import Slot
from make import MINUTE, a_slot


def fields(slot: Slot | None = None, **values: str) -> dict[str, str]:
    """What the form sends for a slot."""
    slot = slot or a_slot()
    return {
        "starts_at": written(slot.starts_at),
        "minutes": str(slot.length // MINUTE),
    } | values


def written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def words(page: Any) -> str:
    """The text of a page, on one line."""
    text = re.sub(
        r"<(script|template|style).*?</\1>|<[^>]+>", " ", page.text, flags=re.S
    )
    return " ".join(unescape(text).split())


def offered(page: Any) -> list[str]:
    """The starts that can be chosen."""
    return [value for value, rest in _starts(page) if "disabled" not in rest]


def not_offered(page: Any) -> list[str]:
    return [value for value, rest in _starts(page) if "disabled" in rest]


def chosen(page: Any) -> list[str]:
    return [value for value, rest in _starts(page) if "checked" in rest]


def _starts(page: Any) -> list[tuple[str, str]]:
    pattern = r'<input type="radio"\s+name="starts_at"\s+value="([^"]+)"([^>]*)>'
    return re.findall(pattern, page.text)


def forms(page: Any, path: str) -> list[dict[str, str]]:
    """The hidden fields of every form on the page that posts to the path."""
    found = re.findall(r"<form(.*?)</form>", page.text, flags=re.S)
    return [
        dict(re.findall(r'type="hidden"\s+name="(\w+)"\s+value="([^"]*)"', form))
        for form in found
        if f'action="{path}"' in form and 'method="post"' in form
    ]
