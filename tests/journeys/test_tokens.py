"""Making a token on the account page, with scripts and without."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from examples.evcharge_client import Client
from journeys.steps import sign_up
from program import Program

Visit = Callable[..., Page]
PHONE = {"width": 360, "height": 740}


def make_token(page: Page) -> str:
    """By somebody new. Returns what is shown."""
    sign_up(page)
    page.goto("/account")
    page.get_by_role("link", name="Tokens for programs").click()
    page.get_by_label("Name").fill("Night script")
    page.get_by_label("Your password").fill("kettle harbour 42")
    page.get_by_role("button", name="Make a token").click()
    token: str = page.get_by_label("Token", exact=True).input_value()
    return token


def works(demo: Program, token: str) -> bool:
    return list(Client(demo.url(""), token).bookings()) == []


def test_a_token_is_copied_with_one_press(demo: Program, visit: Visit) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    page = visit(demo, viewport=PHONE, permissions=permissions)
    token = make_token(page)

    page.get_by_role("button", name="Copy").click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == token
    assert works(demo, token)
    page.get_by_role("button", name="Revoke Night script").click()
    expect(page.get_by_text("No tokens yet.")).to_be_visible()


def test_without_scripts_it_is_there_to_be_selected(
    demo: Program, visit: Visit
) -> None:
    page = visit(demo, viewport=PHONE, java_script_enabled=False)

    token = make_token(page)

    expect(page.get_by_label("Token", exact=True)).not_to_be_editable()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    assert works(demo, token)
