"""A driver finds a charger, books, pays, looks back, cancels and is paid back."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from icalendar import Calendar
from playwright.sync_api import Page, expect

from journeys.steps import (
    MONEY,
    amount,
    choose_day,
    choose_start,
    free_starts,
    go_to_gateway,
    happened,
    hold,
    hold_button,
    pay,
    reference,
    sign_up,
)
from program import Program

Visit = Callable[..., Page]
PHONE = {"width": 360, "height": 740}
PER_KWH = "₹16–19 per kWh + GST"
BY_THE_HOUR = "Park Street Corner"


def test_from_sign_up_to_the_refund(demo_on_both: Program, visit: Visit) -> None:
    page = visit(demo_on_both, viewport=PHONE)
    sign_up(page)

    find_a_fast_charger(page)
    price = choose_a_time(page)
    expect(page.locator("p[data-price]")).to_contain_text(PER_KWH)
    hold_the_slot(page, price)
    pay_for_it(page, price)
    look_back(page)
    cancel_it(page, price)


def find_a_fast_charger(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Place, name or pincode").fill("Bengaluru")
    page.get_by_role("button", name="Search").click()
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("CCS2", exact=True).check()  # A chip filters at once.
    page.wait_for_url(re.compile("connector=ccs2"))
    page.get_by_label("From 50 kW", exact=True).check()
    page.wait_for_url(re.compile("min_kw=50"))
    expect(page.get_by_label("Filters that are set").get_by_role("link")).to_have_count(
        3
    )
    cards = page.locator(".site-card")
    assert all("Bengaluru" in card for card in cards.all_inner_texts())
    cards.get_by_role("link", name="Hebbal Ring Road", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hebbal Ring Road")
    page.get_by_role("link", name=re.compile("^Book charging point")).first.click()


def choose_a_time(page: Page) -> str:
    """Returns the price that was shown for 90 minutes."""
    choose_day(page, 5)
    page.locator("label", has_text="1.5 h").click()
    expect(page.locator("[data-shown]")).to_have_attribute("data-minutes", "90")
    expect(hold_button(page)).to_be_disabled()

    free_starts(page).nth(5).click()

    expect(hold_button(page)).to_have_text(
        re.compile(r"^Hold \d\d:\d\d–\d\d:\d\d for 10 min$")
    )
    return amount(page, ".summary-price")


def hold_the_slot(page: Page, price: str) -> None:
    hold_button(page).click()
    expect(page.get_by_text("Held, not paid yet")).to_be_visible()
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"^9:[45]\d$"))
    expect(page.get_by_role("button", name=f"Pay {price}")).to_be_visible()


def pay_for_it(page: Page, price: str) -> None:
    name = reference(page)
    go_to_gateway(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(price)
    page.get_by_role("button", name=f"Pay {price}", exact=True).click()

    expect(page.get_by_text(f"You paid {price}.")).to_be_visible()
    expect(page.get_by_text("It is yours.")).to_be_visible()
    expect(page.locator(".booking-payments")).to_contain_text("UPI")
    assert reference(page) == name
    expect(page.get_by_role("img", name=f"QR code of {name}")).to_be_visible()
    expect_a_calendar_file(page, name)


def expect_a_calendar_file(page: Page, name: str) -> None:
    with page.expect_download() as download:
        page.get_by_role("link", name="Add to calendar").click()
    assert download.value.suggested_filename == f"{name}.ics"
    [event] = Calendar.from_ical(download.value.path().read_bytes()).walk("VEVENT")
    assert event["DTSTART"].dt > datetime.now(UTC)
    assert name in event["DESCRIPTION"]


def look_back(page: Page) -> None:
    name = reference(page)
    page.get_by_role("link", name="My bookings").first.click()
    row = page.get_by_role("listitem").filter(has_text=name)
    expect(row).to_contain_text("Booked")
    row.get_by_role("link").click()
    assert reference(page) == name
    assert len(happened(page)) >= 2


def cancel_it(page: Page, price: str) -> None:
    page.get_by_role("link", name="Cancel booking").click()
    expect(page.get_by_text(f"You get {price} of {price} back.")).to_be_visible()
    page.get_by_role("button", name="Cancel the booking").click()

    expect(page.get_by_text("Your booking is cancelled.")).to_be_visible()
    expect(page.locator(".status").first).to_have_text("Cancelled")
    # The money goes back by a job: the page says so by itself, live or after a reload.
    expect(page.get_by_text("Refund", exact=True)).to_be_visible()
    expect_refund(page, price)
    expect(page.get_by_role("link", name="Take out of calendar")).to_be_visible()
    page.goto("/bookings?tab=cancelled")
    expect(page.get_by_role("listitem").filter(has_text="Cancelled")).to_have_count(1)


def expect_refund(page: Page, price: str) -> None:
    for _ in range(20):
        said = page.locator(".notice", has_text="Refund").inner_text()
        assert price in said
        if "went back" in said:
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(said)


def test_from_sign_up_to_the_refund_without_scripts(
    demo_on_both: Program, visit: Visit
) -> None:
    page = visit(demo_on_both, viewport=PHONE, java_script_enabled=False)
    sign_up(page)

    # This operator has no tariff yet: a slot has a price for each started hour.
    page.goto("/")
    page.get_by_label("Place, name or pincode").fill("Kolkata")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("CCS2", exact=True).check()
    page.get_by_role("button", name="Show chargers").click()
    page.get_by_role("link", name=BY_THE_HOUR, exact=True).click()
    page.get_by_role("link", name=re.compile("^Book charging point")).last.click()
    choose_day(page, 6)
    page.locator("label", has_text="1.5 h").click()
    free_starts(page).nth(5).click()
    page.get_by_role("button", name="Show price").click()
    expect(page.locator("p[data-price]")).to_contain_text("2 started hours")
    price = amount(page, ".summary-price")
    hold_button(page).click()

    expect(page.get_by_text("Held, not paid yet")).to_be_visible()
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"^(9:[345]\d|10:00)$"))
    pay_for_it(page, price)
    look_back(page)
    cancel_it(page, price)


def test_a_payment_that_fails_leaves_the_slot_held_and_can_be_tried_again(
    demo: Program, visit: Visit
) -> None:
    page = visit(demo)
    sign_up(page)
    hold(page, 21, days_ahead=3)
    go_to_gateway(page)

    page.get_by_role("button", name="Let it fail").click()

    expect(page.get_by_text("Payment did not go through.")).to_be_visible()
    expect(page.get_by_text("Held, not paid yet")).to_be_visible()
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"^1?\d:\d\d$"))
    pay(page)


def test_who_leaves_the_gateway_finds_the_slot_still_held(
    demo: Program, visit: Visit
) -> None:
    page = visit(demo)
    sign_up(page)
    address = hold(page, 22, days_ahead=3)
    go_to_gateway(page)

    page.get_by_role("button", name="Leave without paying").click()

    expect(page.get_by_text("You left without paying.")).to_be_visible()
    assert page.url == address
    expect(page.get_by_text("Held, not paid yet")).to_be_visible()
    pay(page)


def test_a_visitor_logs_in_on_the_way_and_comes_back_to_the_time_they_chose(
    demo: Program, visit: Visit
) -> None:
    page = visit(demo)
    page.goto("/evses/23/book")
    chosen = choose_start(page, days_ahead=3)

    hold_button(page).click()
    page.get_by_role("main").get_by_role("link", name="Sign up").click()
    onward = parse_qs(urlsplit(page.url).query)["next"]
    assert onward[0].startswith("/evses/23/book")
    page.get_by_label("Name").fill("Omar Sheikh")
    page.get_by_label("E-mail").fill("omar@example.com")
    page.locator("input[type=password]").fill("kettle harbour 42")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()

    expect(page.locator("input[name=starts_at]:checked")).to_have_value(chosen)
    expect(hold_button(page)).to_be_enabled()
    expect(page.locator(".summary-price")).to_have_text(re.compile(MONEY))
