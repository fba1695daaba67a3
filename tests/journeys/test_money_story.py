"""Money under a tariff: an estimate is paid, what is not used comes back on paper."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from journeys.steps import MONEY, go_to_gateway, paise, sign_up
from journeys.test_charging_story import (
    METERED_MS,
    SOON_MS,
    hold_for_now,
    hold_to_stop,
    stage,
    start,
)
from program import Program

Visit = Callable[..., Page]
SAYS = re.compile(r"^PDF of (RV|FV|TI)\b")


@pytest.mark.timeout(400)
def test_a_driver_pays_an_estimate_and_what_is_unused_comes_back(
    demo: Program, visit: Visit
) -> None:
    page = visit(demo)
    sign_up(page)
    hold_for_now(page)
    expect(
        page.get_by_text("What you do not use comes back by itself.")
    ).to_be_visible()
    estimate = total(page)
    go_to_gateway(page)
    page.get_by_role("button", name=re.compile(r"^Pay ")).click()
    booking = page.url
    start(page, "Start charging")
    expect(stage(page)).to_have_text("Charging", timeout=SOON_MS)
    energy = page.locator(".charging-energy .num")
    expect(energy).not_to_have_text(re.compile(r"^0\.[01]$"), timeout=METERED_MS)
    hold_to_stop(page)
    expect(stage(page)).to_have_text("Done", timeout=SOON_MS)

    # Billing and refund are jobs: the page follows them by itself.
    expect(page.get_by_text("With 18 % GST")).to_be_visible(timeout=SOON_MS)
    used = total(page)
    page.goto(booking)
    went_back = page.get_by_text(re.compile(rf"{MONEY} went back"))
    expect(went_back).to_be_visible(timeout=SOON_MS)
    assert total(page) == used
    assert paise(went_back.inner_text().split(" ")[0]) == estimate - used > 0

    papers = page.get_by_role("link", name=SAYS)
    expect(papers).to_have_count(
        3, timeout=SOON_MS
    )  # Advance, what went back, invoice.
    for address in [each.get_attribute("href") for each in papers.all()]:
        answer = page.request.get(str(address))
        assert answer.body().startswith(b"%PDF"), address
    page.locator(".booking-payments a").first.click()
    expect(page.get_by_text("Left for your bank")).to_be_visible()


def total(page: Page) -> int:
    """Return the last line of the price, in paise."""
    row = page.locator("tfoot tr").last.inner_text()
    found = re.findall(MONEY, row)
    assert found, row
    return paise(found[-1])
