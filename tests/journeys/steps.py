"""What people do on our pages, step by step."""

import re
from itertools import count

from playwright.sync_api import Locator, Page, expect

PASSWORD = "charge-demo-1"
MONEY = r"₹[\d,]+(?:\.\d\d)?"
_numbers = count(1)


def sign_up(page: Page) -> str:
    """Returns the e-mail address."""
    email = f"nisha.{id(page)}.{next(_numbers)}@example.com"
    page.goto("/signup")
    page.get_by_label("Name").fill("Nisha Kaur")
    page.get_by_label("E-mail").fill(email)
    page.locator("input[type=password]").fill("kettle harbour 42")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_label("Menu of Nisha Kaur")).to_be_visible()
    return email


def log_in(page: Page, email: str) -> None:
    page.goto("/login")
    page.get_by_label("E-mail").fill(email)
    page.locator("input[type=password]").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_label("Menu of")).to_be_visible()


def free_starts(page: Page) -> Locator:
    """The start times that can be pressed."""
    return page.locator("label.slot:has(input:not(:disabled)):visible")


def start(page: Page, value: str) -> Locator:
    return page.locator(f"input[type=radio][value='{value}']")


def hold_button(page: Page) -> Locator:
    return page.locator("[data-booking] button[type=submit]")


def choose_day(page: Page, days_ahead: int) -> None:
    day = page.get_by_label("Days").get_by_role("link").nth(days_ahead)
    day.click()
    expect(day).to_have_attribute("aria-current", "date")


def choose_start(page: Page, *, days_ahead: int) -> str:
    """Chooses a time of that day; returns when it starts, as the form sends it."""
    choose_day(page, days_ahead)
    choice = free_starts(page).nth(8)
    choice.click()
    value: str = choice.locator("input").input_value()
    return value


def hold(page: Page, evse_id: int, *, days_ahead: int) -> str:
    """Holds a time at an EVSE; returns the booking's address."""
    page.goto(f"/evses/{evse_id}/book")
    choose_start(page, days_ahead=days_ahead)
    hold_button(page).click()
    page.wait_for_url(re.compile(r"/bookings/[0-9a-f-]{36}$"))
    return page.url


def go_to_gateway(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Pay ")).click()
    expect(page.get_by_text("Simulated payment, no money moves")).to_be_visible()


def pay(page: Page) -> None:
    go_to_gateway(page)
    page.get_by_role("button", name=re.compile(rf"^Pay {MONEY}$")).click()
    expect(page.get_by_text("It is yours.")).to_be_visible()


def reference(page: Page) -> str:
    words = page.get_by_role("heading", level=1).inner_text()
    found = re.search(r"EV-\w{6}", words)
    assert found, words
    return found.group()


def amount(page: Page, selector: str) -> str:
    found = re.search(MONEY, page.locator(selector).inner_text())
    assert found
    return found.group()


def paise(money: str) -> int:
    """`₹1,234.50` is 123450."""
    return int(re.sub(r"\D", "", money))


def happened(page: Page) -> list[str]:
    """The booking's history, oldest first."""
    return page.locator(".timeline-title").all_inner_texts()
