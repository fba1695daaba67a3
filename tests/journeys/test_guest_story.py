"""Somebody without an account, a small phone, a charger that really speaks OCPP."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from evcharge.stations.rules.codes import evse_code
from journeys.steps import MONEY
from journeys.test_charging_story import METERED_MS, SOON_MS, free_now, stage, until
from program import Program

Visit = Callable[..., Page]
SMALL_PHONE = {"viewport": {"width": 360, "height": 740}}
GATEWAY = re.compile(r"/simulated-gateway/")
TRIES = 30  # Two seconds apart: a busy machine connects two hundred chargers slowly.
VISIT = re.compile(r"/visits/[\w.-]+$")


@pytest.mark.timeout(400)
def test_a_guest_scans_pays_charges_stops_and_has_an_invoice(
    demo: Program, visit: Visit
) -> None:
    page = visit(demo, **SMALL_PHONE)
    scan(page)
    fits(page)
    press_pay(page)
    fits(page)
    pay_at_gateway(page)
    own = page.url

    expect(page.get_by_text(re.compile(rf"You paid {MONEY}"))).to_be_visible()
    expect(stage(page)).to_have_text("Charging", timeout=SOON_MS)
    fits(page)
    energy = page.locator(".charging-energy .num")
    expect(energy).not_to_have_text(re.compile(r"^0\.[01]$"), timeout=METERED_MS)
    expect(page.get_by_label("Used of what you paid")).to_be_visible()

    page.get_by_role("link", name="Stop charging").click()
    page.get_by_role("button", name="Stop charging").click()
    expect(stage(page)).to_have_text("Done", timeout=SOON_MS)
    expect(papers(page).first).to_be_visible(timeout=SOON_MS)
    fits(page)

    # The link alone opens it, in any other browser.
    other = visit(demo, **SMALL_PHONE)
    other.goto(own)
    expect(stage(other)).to_have_text("Done")
    answer = other.request.get(str(papers(other).first.get_attribute("href")))
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF")


@pytest.mark.timeout(400)
def test_without_scripts_a_guest_pays_charges_and_stops(
    demo: Program, visit: Visit
) -> None:
    page = visit(demo, java_script_enabled=False, **SMALL_PHONE)
    scan(page)
    press_pay(page)
    pay_at_gateway(page)
    expect(page.get_by_text("Plug in now.").or_(stage(page))).to_be_visible()
    for _ in range(30):
        if stage(page).count():
            break
        page.get_by_role("link", name="Look again").click()
        page.wait_for_timeout(1_000)
    until(page, "Charging")

    page.get_by_role("link", name="Stop charging").click()
    page.get_by_role("button", name="Stop charging").click()

    until(page, "Done")


@pytest.mark.timeout(200)
def test_who_changes_their_mind_watches_their_money_come_back(
    demo: Program, visit: Visit
) -> None:
    page = visit(demo, **SMALL_PHONE)
    scan(page)
    page.locator("label.chip", has_text="Other").click()
    page.get_by_label("Your amount in rupees").fill("2000")
    press_pay(page)
    expect(page.get_by_text("₹2,000.00").first).to_be_visible()
    page.get_by_role("button", name=re.compile("^Pay ₹")).click()
    page.wait_for_url(VISIT)

    mind = page.get_by_role("button", name="Do not charge, pay me back")
    stop = page.get_by_role("link", name="Stop charging")
    expect(mind.or_(stop)).to_be_visible()
    if mind.count():  # The simulated vehicle plugs in within seconds.
        mind.click()
    else:
        stop.click()
        page.get_by_role("button", name="Stop charging").click()

    expect(page.get_by_text(re.compile(f"{MONEY} goes back to you"))).to_be_visible(
        timeout=SOON_MS
    )
    expect(page.get_by_text("Left for your bank")).to_be_visible(timeout=METERED_MS)


# ── steps ────────────────────────────────────────────────────────────────────────


# A charger that took a start which was then called off waits for that plug a while, and
# refuses whoever comes next: their money goes back, and no story can be told there.
_scanned: set[int] = set()


def scan(page: Page) -> None:
    """Open the code of a free point, as a camera does; each time of another one."""
    for evse in free_now(page):
        if evse["id"] in _scanned:
            continue
        page.goto(f"/c/{evse_code(evse['id'])}")
        if page.get_by_role("button", name="Pay and charge").count():
            _scanned.add(evse["id"])
            return
    raise AssertionError("nothing can be paid for in the whole demo")


def press_pay(page: Page) -> None:
    """Press it, and again while the charger of a demo that began just now connects."""
    for _ in range(TRIES):
        page.get_by_role("button", name="Pay and charge").click()
        page.wait_for_load_state()
        if GATEWAY.search(page.url):
            return
        expect(page.get_by_role("alert")).to_contain_text("not connected")
        page.wait_for_timeout(2_000)
    raise AssertionError("the charger does not connect")


def pay_at_gateway(page: Page) -> None:
    expect(page.get_by_text("Simulated payment, no money moves")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Pay ₹")).click()
    page.wait_for_url(VISIT)


def papers(page: Page) -> Locator:
    return page.get_by_role("link", name=re.compile("^PDF"))


def fits(page: Page) -> None:
    """Nothing is wider than the phone."""
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
