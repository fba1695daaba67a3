"""What a phone has to fetch to see the first page, with nothing kept from before."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from program import Program

Visit = Callable[..., Page]
MOST_BYTES = 150_000


def test_the_first_page_is_light_and_comes_from_us_alone(
    demo: Program, visit: Visit
) -> None:
    page = visit(demo, viewport={"width": 360, "height": 740})
    fetched: dict[str, int] = {}
    network = page.context.new_cdp_session(page)
    addresses: dict[str, str] = {}
    network.on(
        "Network.requestWillBeSent",
        lambda sent: addresses.update({sent["requestId"]: sent["request"]["url"]}),
    )
    network.on(
        "Network.loadingFinished",
        lambda done: fetched.update(
            {addresses[done["requestId"]]: int(done["encodedDataLength"])}
        ),
    )
    network.send("Network.enable")

    page.goto("/", wait_until="networkidle")
    expect(page.locator(".site-card").first).to_be_visible()

    assert len(fetched) > 8  # The page, styles, scripts, the font, icons.
    assert all(address.startswith(demo.url("/")) for address in fetched)
    assert sum(fetched.values()) <= MOST_BYTES, fetched
