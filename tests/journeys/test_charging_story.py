"""Charging, from the booking to the receipt, at chargers that really speak OCPP."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from evcharge.bookings.rules import slot_no, slot_start
from evcharge.stations.rules.codes import evse_code
from evcharge.web.formats import instant
from journeys.steps import go_to_gateway, hold_button, sign_up
from program import Program

Visit = Callable[..., Page]
SESSION = re.compile(r"/sessions/[0-9a-f-]{36}$")
HOUR = timedelta(hours=1)
AT_ONCE_MS = 5_000  # A page looks again at most every two seconds, and the charger too.
SOON_MS = 30_000
METERED_MS = 120_000


@pytest.mark.timeout(300)
def test_a_driver_books_charges_stops_and_has_it_all_on_paper(
    demo: Program, visit: Visit
) -> None:
    page = visit(demo)
    sign_up(page)
    hold_for_now(page)
    go_to_gateway(page)
    page.get_by_role("button", name=re.compile(r"^Pay ")).click()
    expect(page.get_by_role("button", name="Start charging")).to_be_visible()
    booking = page.url

    start(page, "Start charging")
    session = page.url
    expect(stage(page)).to_have_text("Charging", timeout=SOON_MS)
    # A charger tells its meter once a minute. Less than this would be a handshake.
    energy = page.locator(".charging-energy .num")
    expect(energy).not_to_have_text(re.compile(r"^0\.[01]$"), timeout=METERED_MS)

    page.goto(booking)
    expect(
        page.get_by_text("Your vehicle is charging on this booking.")
    ).to_be_visible()
    expect(page.get_by_label("Your charging")).to_contain_text("Charging at")
    page.get_by_role("link", name="See how it goes").click()
    page.wait_for_url(session)
    hold_to_stop(page)

    expect(stage(page)).to_have_text("Done", timeout=SOON_MS)
    expect(page.get_by_text("Stopped from the phone").first).to_be_visible()
    page.goto(booking)
    expect(page.locator(".booking-now .status")).to_have_text("Done")
    page.get_by_role("link", name="What you charged").click()
    page.wait_for_url(session)


def test_a_status_changes_at_the_charger_and_on_every_open_page(
    demo: Program, visit: Visit
) -> None:
    driver, passer_by = visit(demo), visit(demo)
    sign_up(driver)
    evse = next(free_now(driver))
    passer_by.goto(f"/locations/{evse['location_id']}")
    word = passer_by.locator(
        f".evse:has(a[href$='/evses/{evse['id']}/book']) .status-word"
    )
    expect(word).to_have_text("Free")
    passer_by.evaluate("window.wasNotLoadedAgain = true")

    driver.goto(f"/c/{evse_code(evse['id'])}")
    start(driver, "Start charging now")
    expect(stage(driver)).to_have_text("Charging", timeout=SOON_MS)

    expect(word).to_have_text("Charging", timeout=AT_ONCE_MS)
    assert passer_by.evaluate("window.wasNotLoadedAgain")


def test_without_scripts_a_charge_is_started_and_stopped_by_links(
    demo: Program, visit: Visit
) -> None:
    page = visit(demo, java_script_enabled=False)
    sign_up(page)
    page.goto(f"/c/{evse_code(next(free_now(page))['id'])}")
    start(page, "Start charging now")
    until(page, "Charging")

    page.get_by_role("link", name="Stop charging").click()
    expect(page.get_by_role("heading", name="Stop charging?")).to_be_visible()
    page.get_by_role("button", name="Stop charging").click()

    until(page, "Done")


# ── steps ────────────────────────────────────────────────────────────────────────


def stage(page: Page) -> Locator:
    return page.locator(".charging-now .status-word")


def until(page: Page, word: str) -> None:
    """Reload, as people do whose page does not follow by itself."""
    for _ in range(30):
        if stage(page).inner_text() == word:
            return
        page.wait_for_timeout(1_000)
        page.reload()
    expect(stage(page)).to_have_text(word)


def hold_for_now(page: Page) -> None:
    """Holds an EVSE that is free now, from this quarter hour; others may be quicker."""
    for evse in free_now(page):
        starts_at = slot_start(slot_no(datetime.now(UTC)))
        wanted = f"starts_at={starts_at:%Y-%m-%dT%H:%M}Z&minutes=60"
        page.goto(f"/evses/{evse['id']}/book?{wanted}")
        if not hold_button(page).is_enabled():
            continue
        hold_button(page).click()
        page.wait_for_load_state()
        if "/bookings/" in page.url:
            return
    raise AssertionError("nothing is free now in the whole demo")


def start(page: Page, button: str) -> None:
    """Press it, and again while the charger of a demo that began just now connects."""
    for _ in range(15):
        page.get_by_role("button", name=button).click()
        page.wait_for_load_state()
        if SESSION.search(page.url):
            return
        expect(page.get_by_role("alert")).to_contain_text("not connected")
        page.wait_for_timeout(2_000)
    raise AssertionError("the charger does not connect")


def hold_to_stop(page: Page) -> None:
    page.get_by_role("link", name="Stop charging").hover()
    page.mouse.down()
    with page.expect_navigation():
        page.wait_for_timeout(1_200)
    page.mouse.up()


def free_now(page: Page) -> Iterator[dict[str, Any]]:
    """EVSEs that are free for an hour from now, at chargers that are connected."""
    starts_at = slot_start(slot_no(datetime.now(UTC)))
    query = urlencode(
        {
            "free_from": instant(starts_at),
            "free_to": instant(starts_at + HOUR),
            "min_kw": "50",
            "limit": "50",
        }
    )
    sites = page.request.get(f"/api/v1/locations?{query}").json()["items"]
    for site in sites:
        found = page.request.get(f"/api/v1/locations/{site['id']}").json()
        for evse in found["evses"]:
            is_quick = max(each["power_w"] for each in evse["connectors"]) >= 50_000
            if evse["status"] == "available" and is_quick:
                yield evse | {"location_id": site["id"]}
