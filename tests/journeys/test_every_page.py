"""Every page on a small phone: everybody can use it, it fits, and nothing breaks."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browser_support import axe_violations, new_context
from demo_site import PAGES, charge, file_papers, things, visit_token
from evcharge.kernel.db import Database
from journeys.steps import (
    choose_start,
    go_to_gateway,
    hold,
    hold_button,
    log_in,
    sign_up,
)
from journeys.watching import watching
from program import Program

Visit = Callable[..., Page]
PHONE = {"width": 360, "height": 740}
NOT_FOR_EYES = ("/payments/", ".csv", ".jsonl", ".ics", ".pdf", "/locations/cards")
# How the same pages look when there is nothing, or when something went wrong.
OTHER_STATES = [
    ("nobody", "/"),
    ("nobody", "/?q=Atlantis&connector=ccs2&min_kw=50&when=now"),
    ("nobody", "/?when=at&on=2020-01-01&at=99:99&minutes=7"),
    ("nobody", "/locations/{location_id}"),
    ("nobody", "/evses/{evse_id}/book"),
    ("nobody", "/there-is-no-such-page"),
    ("nobody", "/c?code=22222"),
    ("driver", "/bookings?tab=past"),
    ("driver", "/bookings?tab=cancelled"),
    ("driver", "/admin/"),
    ("admin", "/admin/"),
    ("admin", "/admin/bookings?q=nobody"),
    ("admin", "/admin/bookings?status=CANCELLED"),
    ("admin", "/admin/users?q=nobody"),
    ("admin", "/admin/jobs?state=done"),
    ("admin", "/admin/payments?kind=refunds"),
]
SHOWN = [
    (role, address)
    for role, address, _ in PAGES
    if not any(part in address for part in NOT_FOR_EYES)
]


@pytest.fixture(scope="module")
def ids(running: Callable[[str], Program]) -> dict[str, Any]:
    """Something of every kind that the running demo has."""
    folder = running("sqlite").log.parent / "data"
    database = Database(f"sqlite:///{folder}/evcharge.db")
    with database.transaction() as session:
        charge(session)
        file_papers(session)
    with database.reading() as session:
        found = things(session)
    database.engine.dispose()
    secret = (folder / "secret_key").read_text().strip()
    found["visit"] = visit_token(secret, found["guest_id"])
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
    with watching(page, home=demo.url("/")) as complaints:
        page.goto(address.format_map(ids))
        expect_fit_for_everybody(page)
    assert complaints == []


def test_so_do_the_pages_in_the_middle_of_booking(demo: Program, visit: Visit) -> None:
    page = visit(demo, viewport=PHONE, reduced_motion="reduce")
    page.goto("/signup")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect_fit_for_everybody(page)
    sign_up(page)

    hold(page, 51, days_ahead=5)
    expect_fit_for_everybody(page)
    go_to_gateway(page)
    expect_fit_for_everybody(page)
    page.get_by_role("button", name="Let it fail").click()
    expect(page.get_by_text("Payment did not go through.")).to_be_visible()
    expect_fit_for_everybody(page)
    page.get_by_label("Menu of").click()
    expect_fit_for_everybody(page)


def test_so_does_the_page_for_who_came_too_late(demo: Program, visit: Visit) -> None:
    asha = visit(demo)
    binod = visit(demo, viewport=PHONE, reduced_motion="reduce")
    sign_up(asha)
    sign_up(binod)
    binod.route("**/live?*", lambda _: None)  # Nobody tells him: no answer comes.
    binod.goto("/evses/52/book")
    choose_start(binod, days_ahead=5)
    hold(asha, 52, days_ahead=5)

    hold_button(binod).click()

    expect(binod.get_by_role("alert").get_by_role("button")).to_have_count(3)
    expect_fit_for_everybody(binod)


def expect_fit_for_everybody(page: Page) -> None:
    """In the light and in the dark, and no wider than the screen."""
    page.emulate_media(color_scheme="light")
    too_wide = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    in_the_light = grave(axe_violations(page))
    page.emulate_media(color_scheme="dark")
    in_the_dark = grave(axe_violations(page, runOnly=["color-contrast"]))
    page.emulate_media(color_scheme="light")

    assert too_wide <= 0
    assert in_the_light == []
    assert in_the_dark == []


def grave(violations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in violations if each["impact"] in ("serious", "critical")]
