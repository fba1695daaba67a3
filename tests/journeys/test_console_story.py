"""People who run the network: what they see, and what drivers notice of it."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from evcharge.web.formats import rupees
from journeys.steps import (
    MONEY,
    PASSWORD,
    amount,
    hold,
    log_in,
    paise,
    pay,
    reference,
    sign_up,
)
from program import Program

Visit = Callable[..., Page]
OPERATOR = "operator@example.com"
ADMIN = "admin@example.com"


def test_closing_a_charging_point_cancels_what_is_booked_there_and_pays_it_back(
    demo: Program, visit: Visit
) -> None:
    driver, operator = visit(demo), visit(demo)
    sign_up(driver)
    hold(driver, 41, days_ahead=6)
    pay(driver)
    booked = reference(driver)
    log_in(operator, OPERATOR)

    operator.goto("/admin/evses/41/close")
    affected = operator.get_by_role("table", name="Bookings in the way")
    expect(affected.get_by_role("rowheader", name=booked)).to_be_visible()
    operator.get_by_label("Reason").fill("The cable is damaged")
    operator.get_by_role(
        "button", name=re.compile("^Cancel .*refund ₹.* in full$")
    ).click()

    expect(
        operator.get_by_text("The charging point is out of service.")
    ).to_be_visible()
    expect(operator.locator(".status", has_text="Not in service")).not_to_have_count(0)
    # The driver's page, still open, tells without being asked.
    expect(driver.get_by_text("The cable is damaged").first).to_be_visible(
        timeout=3_000
    )
    expect(driver.get_by_text("Refund", exact=True)).to_be_visible()
    driver.goto("/evses/41/book")
    expect(driver.get_by_text("cannot be booked at the moment")).to_be_visible()


def test_the_dashboard_counts_a_booking_as_it_is_paid(
    demo: Program, visit: Visit
) -> None:
    driver, operator = visit(demo), visit(demo)
    sign_up(driver)
    log_in(operator, OPERATOR)
    operator.goto("/admin/?period=today")
    tile = operator.locator(".tile", has_text="Bookings today")
    bookings, collected = figures(tile)

    hold(driver, 42, days_ahead=6)
    price = paise(amount(driver, ".booking-pay"))
    pay(driver)

    words = re.compile(
        rf"\b{bookings + 1}\b.*{rupees(collected + price)} collected", re.S
    )
    expect(tile).to_have_text(words, timeout=5_000)
    # The chart, and the same numbers as a table.
    expect(operator.locator("#by-day-table tbody tr").last).to_contain_text(
        rupees(collected + price)
    )
    expect(operator.locator(".chart canvas")).to_be_visible()


def figures(tile: Locator) -> tuple[int, int]:
    """How many bookings, and the paise collected for them."""
    words = tile.inner_text()
    [money] = re.findall(MONEY, words)
    [number] = re.findall(r"^([\d,]+)$", words, flags=re.M)
    return int(number.replace(",", "")), paise(money)


def test_a_suspended_driver_is_logged_out_at_the_next_click(
    demo: Program, visit: Visit
) -> None:
    driver, admin = visit(demo), visit(demo)
    email = sign_up(driver)
    driver.goto("/bookings")
    log_in(admin, ADMIN)

    admin.goto("/admin/users")
    admin.get_by_label("Name, e-mail or number").fill(email)
    admin.get_by_role("button", name="Find").click()
    admin.get_by_role("link", name="Nisha Kaur").click()
    admin.get_by_role("link", name="Suspend").click()
    admin.get_by_role("button", name="Suspend").click()
    expect(admin.get_by_text("Suspended").first).to_be_visible()

    driver.get_by_role("link", name="Cancelled").click()
    expect(
        driver.get_by_role("main").get_by_role("button", name="Log in")
    ).to_be_visible()
    driver.get_by_label("E-mail").fill(email)
    driver.locator("input[type=password]").fill("kettle harbour 42")
    driver.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(driver.get_by_text(re.compile("suspended"))).to_be_visible()


def test_an_operator_sees_their_own_network_and_no_other(
    demo: Program, visit: Visit
) -> None:
    operator = visit(demo)
    log_in(operator, OPERATOR)
    own = operator.goto("/admin/locations/1")
    other = operator.goto("/admin/locations/30")
    users = operator.goto("/admin/users")

    assert own is not None
    assert other is not None
    assert users is not None
    assert [own.status, other.status, users.status] == [200, 404, 403]
    assert PASSWORD not in operator.content()
