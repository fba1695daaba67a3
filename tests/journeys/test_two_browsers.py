"""Two people want one slot: one has it, the other knows at once and has ways out."""

import re
from collections.abc import Callable

from playwright.sync_api import APIResponse, Page, Route, expect

from journeys.steps import (
    choose_day,
    choose_start,
    free_starts,
    hold_button,
    sign_up,
    start,
)
from program import Program

Visit = Callable[..., Page]
AT_ONCE_MS = 3_000


def test_a_slot_that_somebody_books_turns_quiet_for_whoever_looks_at_it(
    demo_on_both: Program, visit: Visit
) -> None:
    asha, binod = visit(demo_on_both), visit(demo_on_both)
    for page in (asha, binod):
        sign_up(page)
        page.goto("/evses/31/book")
        wanted = choose_start(page, days_ahead=4)
    expect(hold_button(binod)).to_be_enabled()

    hold_button(asha).click()
    expect(asha.get_by_text("Held, not paid yet")).to_be_visible()

    expect(start(binod, wanted)).to_be_disabled(timeout=AT_ONCE_MS)
    expect(hold_button(binod)).to_be_disabled()
    expect(hold_button(binod)).to_have_text("Choose a start time")
    expect(
        binod.get_by_role("status").filter(has_text="Someone just booked")
    ).to_have_text(
        re.compile(r"^Someone just booked \d\d:\d\d\. Choose another time\.$")
    )
    expect(start(asha, wanted)).to_have_count(0)


def test_who_comes_too_late_gets_three_other_times_one_press_each(
    demo_on_both: Program, visit: Visit
) -> None:
    asha = visit(demo_on_both)
    binod = visit(demo_on_both, java_script_enabled=False)  # So that nobody tells him.
    sign_up(asha)
    sign_up(binod)
    asha.goto("/evses/32/book")
    wanted = choose_start(asha, days_ahead=4)
    binod.goto(f"/evses/32/book?starts_at={wanted}&minutes=60")
    expect(start(binod, wanted)).to_be_checked()
    hold_button(asha).click()
    expect(asha.get_by_text("Held, not paid yet")).to_be_visible()

    with binod.expect_response(lambda answer: answer.request.method == "POST") as late:
        hold_button(binod).click()

    assert late.value.status == 409
    expect(binod.get_by_role("alert")).to_contain_text("Someone has")
    others = binod.get_by_role("alert").get_by_role("button")
    expect(others).to_have_count(3)
    offered = others.first.inner_text()
    others.first.click()
    expect(binod.get_by_text("Held, not paid yet")).to_be_visible()
    [time] = re.findall(r"\d\d:\d\d–\d\d:\d\d", offered)
    expect(binod.locator(".booking-when")).to_contain_text(time)


def test_an_open_location_page_follows_the_bookings_of_others(
    demo_on_both: Program, visit: Visit
) -> None:
    asha, binod = visit(demo_on_both), visit(demo_on_both)
    sign_up(asha)
    binod.goto("/locations/2")
    point = binod.locator(".evse:has(.btn)").last
    strip = point.get_by_role("img", name="Next 24 hours")
    before = strip.get_attribute("aria-label") or ""
    book = point.get_by_role("link", name="Book").get_attribute("href")
    asha.goto(f"{book}?minutes=15")
    starts = free_starts(asha)
    # Late in the evening there may be one left. The first can be over by the time.
    choice = starts.nth(min(1, starts.count() - 1))
    choice.click()
    expect(asha.locator(".summary-bar [data-when]")).to_contain_text("Today")

    hold_button(asha).click()
    expect(asha.get_by_text("Held, not paid yet")).to_be_visible()

    expect(strip).not_to_have_attribute("aria-label", before, timeout=AT_ONCE_MS)
    expect(strip).to_have_attribute("aria-label", re.compile("Taken"))


def test_a_booking_page_follows_what_happens_in_another_window(
    demo: Program, visit: Visit
) -> None:
    page = visit(demo)
    sign_up(page)
    page.goto("/evses/33/book")
    choose_start(page, days_ahead=4)
    hold_button(page).click()
    expect(page.get_by_text("Held, not paid yet")).to_be_visible()
    other = page.context.new_page()
    other.goto(page.url)

    other.get_by_role("link", name="Cancel booking").click()
    other.get_by_role("button", name="Cancel the booking").click()
    expect(other.get_by_text("Your booking is cancelled.")).to_be_visible()

    expect(page.locator(".status").first).to_have_text("Cancelled", timeout=AT_ONCE_MS)
    expect(page.get_by_role("button", name=re.compile("^Pay"))).to_have_count(0)


def test_what_happens_while_a_page_is_fetching_news_is_not_missed(
    demo: Program, visit: Visit
) -> None:
    asha, binod = visit(demo), visit(demo)
    sign_up(asha)
    binod.goto("/evses/34/book")
    choose_day(binod, 4)
    under_way: list[tuple[Route, APIResponse]] = []

    def be_slow(route: Route) -> None:
        under_way.append((route, route.fetch()))

    binod.route("**/*fragment=1*", be_slow, times=1)
    first = hold_one(asha, 34)
    while not under_way:
        binod.wait_for_timeout(50)
    second = hold_one(asha, 34)
    binod.wait_for_timeout(1_000)  # Until the hint has come, while the answer has not.

    route, old_news = under_way[0]
    route.fulfill(response=old_news)

    expect(start(binod, first)).to_be_disabled(timeout=AT_ONCE_MS)
    expect(start(binod, second)).to_be_disabled(timeout=2 * AT_ONCE_MS)


def hold_one(page: Page, evse_id: int) -> str:
    """Returns the start of the slot that is now held."""
    page.goto(f"/evses/{evse_id}/book")
    chosen = choose_start(page, days_ahead=4)
    hold_button(page).click()
    expect(page.get_by_text("Held, not paid yet")).to_be_visible()
    return chosen
