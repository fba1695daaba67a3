"""Takes a picture of every page of a running demo, small and large, light and dark.

    python -m scripts.screenshots http://127.0.0.1:5000 shots

Those for docs/img are called readme-…. It books and cancels as the demo's driver.
Needs what `make browser` prepares.
"""

import re
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser_support import launch, new_context

PASSWORD = "charge-demo-1"  # noqa: S105 - the demo tells everybody.
SIZES = {360: 740, 1440: 900}
SCHEMES = ("light", "dark")
FOR_THE_README = {"width": 1200, "height": 700}
NOBODYS = {
    "home": "/",
    "search": "/?q=Bengaluru&connector=ccs2&min_kw=50",
    "free-at": "/?when=at",
    "nothing-found": "/?q=Atlantis&connector=ccs2",
    "location": "/locations/1",
    "book-as-visitor": "/evses/2/book",
    "signup": "/signup",
    "login": "/login",
    "not-found": "/there-is-no-such-page",
}
DRIVERS = {
    "upcoming": "/bookings",
    "past": "/bookings?tab=past",
    "cancelled": "/bookings?tab=cancelled",
    "account": "/account",
    "leave": "/account/delete",
    "forbidden": "/admin/",
}
ADMINS = {
    "dashboard": "/admin/",
    "locations": "/admin/locations",
    "location": "/admin/locations/1",
    "location-new": "/admin/locations/new",
    "location-close": "/admin/locations/1/close",
    "charger-new": "/admin/locations/1/chargers/new",
    "chargers": "/admin/chargers",
    "charger": "/admin/chargers/1",
    "charger-edit": "/admin/chargers/1/edit",
    "evse-new": "/admin/chargers/1/evses/new",
    "evse-edit": "/admin/evses/1/edit",
    "evse-block": "/admin/evses/1/block",
    "evse-close": "/admin/evses/1/close",
    "connector-new": "/admin/evses/1/connectors/new",
    "bookings": "/admin/bookings",
    "payments": "/admin/payments",
    "refunds": "/admin/payments?kind=refunds",
    "jobs": "/admin/jobs?state=done",
    "operators": "/admin/operators",
    "operator": "/admin/operators/1",
    "operator-new": "/admin/operators/new",
    "users": "/admin/users",
    "user": "/admin/users/1",
    "user-suspend": "/admin/users/1/suspend",
}


class Camera:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)

    def shoot(self, page: Page, name: str) -> None:
        for width, height in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                page.wait_for_timeout(150)
                path = self._folder / f"{name}-{width}-{scheme}.png"
                page.screenshot(path=path, full_page=True)
        print(name)

    def shoot_for_readme(self, page: Page, name: str) -> None:
        """What fits on a screen, as docs/img has it."""
        page.set_viewport_size(FOR_THE_README)
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(300)
        page.screenshot(path=self._folder / f"readme-{name}.png")

    def shoot_all(self, page: Page, who: str, addresses: dict[str, str]) -> None:
        for name, address in addresses.items():
            page.goto(address)
            self.shoot(page, f"{who}-{name}")


def main(url: str, folder: str) -> None:
    camera = Camera(Path(folder))
    with sync_playwright() as playwright:
        browser = launch(playwright)
        visitor = _page(browser, url)
        camera.shoot_all(visitor, "nobody", NOBODYS)
        visitor.goto("/?q=Bengaluru")
        camera.shoot_for_readme(visitor, "home")
        driver = _page(browser, url, "driver")
        camera.shoot_all(driver, "driver", DRIVERS)
        _shoot_a_booking(driver, camera)
        admin = _page(browser, url, "admin")
        camera.shoot_all(admin, "admin", ADMINS)
        _shoot_booking_in_console(admin, camera)
        admin.goto("/admin/")
        camera.shoot_for_readme(admin, "dashboard")
        browser.close()


def _page(browser: Browser, url: str, who: str | None = None) -> Page:
    page = new_context(browser, base_url=url).new_page()
    if who:
        page.goto("/login")
        page.fill("[name=email]", f"{who}@example.com")
        page.fill("[name=password]", PASSWORD)
        page.click("main form [type=submit]")
        page.wait_for_selector(".menu-name")
    return page


def _shoot_a_booking(page: Page, camera: Camera) -> None:
    page.goto("/evses/2/book")
    camera.shoot(page, "driver-book")
    page.get_by_label("Days").get_by_role("link").nth(4).click()
    page.locator("label.slot:has(input:not(:disabled)):visible").nth(6).click()
    camera.shoot(page, "driver-book-chosen")
    camera.shoot_for_readme(page, "book")
    page.click(".summary-bar [type=submit]")
    camera.shoot(page, "driver-held")
    page.get_by_role("button", name=re.compile("^Pay ")).click()
    camera.shoot(page, "driver-gateway")
    page.get_by_role("button", name="Let it fail").click()
    camera.shoot(page, "driver-failed")
    page.get_by_role("button", name=re.compile("^Pay ")).click()
    page.locator("button[value=pay]").click()
    camera.shoot(page, "driver-booked")
    page.reload()
    camera.shoot_for_readme(page, "booking")
    page.get_by_role("link", name="Move").click()
    camera.shoot(page, "driver-move")
    page.go_back()
    page.get_by_role("link", name="Cancel booking").click()
    camera.shoot(page, "driver-cancel")
    page.get_by_role("button", name="Cancel the booking").click()
    camera.shoot(page, "driver-is-cancelled")


def _shoot_booking_in_console(page: Page, camera: Camera) -> None:
    page.goto("/admin/bookings?q=driver@example.com&status=ACTIVE")
    page.locator("a.row-link").first.click()
    camera.shoot(page, "admin-booking")
    page.get_by_role("link", name=re.compile("^Cancel")).click()
    camera.shoot(page, "admin-booking-cancel")


if __name__ == "__main__":
    main(*sys.argv[1:])
