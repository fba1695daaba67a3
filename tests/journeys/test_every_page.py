"""Every page on a small phone: everybody can use it, it fits, and nothing breaks."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from browser_support import axe_violations, new_context
from demo_site import PAGES, things
from evcharge.kernel.db import Database
from journeys.steps import log_in
from journeys.watching import watching
from program import Program

PHONE = {"width": 360, "height": 740}
NOT_FOR_EYES = ("/payments/", ".csv", ".ics", "/locations/cards")
# How the same pages look when there is nothing, or when something went wrong.
OTHER_STATES = [
    ("nobody", "/"),
    ("nobody", "/?q=Atlantis&connector=ccs2&min_kw=50&when=now"),
    ("nobody", "/?when=at&on=2020-01-01&at=99:99&minutes=7"),
    ("nobody", "/locations/{location_id}"),
    ("nobody", "/evses/{evse_id}/book"),
    ("nobody", "/there-is-no-such-page"),
    ("driver", "/bookings?tab=past"),
    ("driver", "/bookings?tab=cancelled"),
    ("driver", "/admin/"),
    ("admin", "/admin/"),
    ("admin", "/admin/bookings?q=nobody"),
    ("admin", "/admin/bookings?status=CANCELLED"),
    ("admin", "/admin/users?q=nobody"),
]
SHOWN = [
    (role, address)
    for role, address, _ in PAGES
    if not any(part in address for part in NOT_FOR_EYES)
]


@pytest.fixture(scope="module")
def ids(running: Callable[[str], Program]) -> dict[str, Any]:
    """Something of every kind that the running demo has."""
    database = Database(f"sqlite:///{running('sqlite').log.parent}/data/evcharge.db")
    with database.reading() as session:
        found = things(session)
    database.engine.dispose()
    return found


@pytest.fixture(scope="module")
def phones(
    running: Callable[[str], Program], chromium: Browser
) -> Iterator[Callable[[str], Page]]:
    """A phone of each of them, in which they stay logged in."""
    pages: dict[str, Page] = {}
    demo = running("sqlite")

    def phone(role: str) -> Page:
        if role not in pages:
            context = new_context(
                chromium,
                base_url=demo.url(""),
                viewport=PHONE,
                reduced_motion="reduce",
            )
            pages[role] = context.new_page()
            if role != "nobody":
                log_in(pages[role], f"{role}@example.com")
        return pages[role]

    yield phone
    for page in pages.values():
        page.context.close()


@pytest.mark.parametrize(("role", "address"), SHOWN + OTHER_STATES)
def test_a_page_works_for_everybody_on_a_small_phone(
    demo: Program,
    phones: Callable[[str], Page],
    ids: dict[str, Any],
    role: str,
    address: str,
) -> None:
    page = phones(role)
    page.emulate_media(color_scheme="light")
    with watching(page, home=demo.url("/")) as complaints:
        page.goto(address.format_map(ids))
        too_wide = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
        in_the_light = grave(axe_violations(page))
        page.emulate_media(color_scheme="dark")
        in_the_dark = grave(axe_violations(page, runOnly=["color-contrast"]))

    assert too_wide <= 0
    assert in_the_light == []
    assert in_the_dark == []
    assert complaints == []


def grave(violations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in violations if each["impact"] in ("serious", "critical")]
