"""A place is typed, offered, chosen by keys; without scripts the page offers it."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from program import Program

Visit = Callable[..., Page]


def test_a_place_is_offered_while_it_is_typed_and_chosen_by_keys(
    demo: Program, visit: Visit
) -> None:
    page = visit(demo)
    page.goto("/")
    field = page.get_by_role("combobox", name="Place, name or pincode")

    field.press_sequentially("Tumk", delay=30)
    options = page.get_by_role("option")
    expect(options.first).to_contain_text("Tumkur, Karnataka")
    field.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    field.press("Enter")

    near = page.get_by_label("Filters that are set").get_by_role("link")
    expect(near).to_contain_text("Near Tumkur, Karnataka")
    expect(page.locator(".site-card").first).to_contain_text("Tumakuru")
    expect(page.get_by_role("listbox")).to_be_hidden()
    near.click()
    expect(near).to_have_count(0)


def test_escape_leaves_what_was_typed(demo: Program, visit: Visit) -> None:
    page = visit(demo)
    page.goto("/")
    field = page.get_by_role("combobox", name="Place, name or pincode")
    field.press_sequentially("Pune", delay=30)
    expect(page.get_by_role("option").first).to_be_visible()

    field.press("Escape")

    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(field).to_have_value("Pune")


def test_without_scripts_the_page_offers_places_for_what_was_searched(
    demo: Program, visit: Visit
) -> None:
    page = visit(demo, java_script_enabled=False)
    page.goto("/?q=Krishnagiri+fort")
    page.goto("/?q=Jaypur")

    page.get_by_label("Chargers near a place").get_by_role(
        "link", name="Jaipur, Rajasthan"
    ).click()

    expect(page.locator(".site-card").first).to_contain_text("Jaipur")
    expect(page.get_by_label("Filters that are set")).to_contain_text("Near Jaipur")
