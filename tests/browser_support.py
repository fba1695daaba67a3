"""A headless Chromium, and axe-core to look at pages with.

`make browser` prepares both. A missing piece is an error, never a skipped test.
"""

import os
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from scripts import browser as prepared

ARGUMENTS = [
    "--no-sandbox",  # Chromium refuses to start for root otherwise
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RUN_AXE = """
async (options) => {
  const { violations } = await window.axe.run(document, options);
  return violations.map(({ id, impact, help, nodes }) => ({
    id, impact, help, where: nodes.map((node) => node.target.join(" ")),
  }));
}
"""


def chromium_path() -> Path:
    """Return the Chromium to test with: the machine's own, or else npm's.

    Raises: FileNotFoundError when `make browser` has not been run.
    """
    path = prepared.system_chromium() or prepared.NPM_CHROMIUM
    if not path.exists():
        raise FileNotFoundError("No Chromium to test with: run `make browser` first.")
    return path


def launch(playwright: Playwright) -> Browser:
    """Start Chromium. Its pages come from `new_context(browser)`."""
    path = chromium_path()
    if path != prepared.NPM_CHROMIUM:
        return playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
    return playwright.chromium.launch(
        executable_path=path,
        args=["--headless=shell", *ARGUMENTS],
        env={
            **os.environ,
            "LD_LIBRARY_PATH": str(prepared.UNPACKED / "lib"),
            "FONTCONFIG_FILE": str(prepared.UNPACKED / "fonts.conf"),
        },
    )


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """Open a fresh browser profile of somebody in India."""
    defaults = {"locale": "en-IN", "timezone_id": "Asia/Kolkata"}
    return browser.new_context(**(defaults | options))


@cache
def axe_source() -> str:
    """Return axe-core's script.

    Raises: FileNotFoundError when `make browser` has not been run.
    """
    if not prepared.AXE.exists():
        raise FileNotFoundError("No axe-core to test with: run `make browser` first.")
    return prepared.AXE.read_text()


def axe_violations(page: Page, **options: Any) -> list[dict[str, Any]]:
    """Return what axe-core finds wrong with the page as it is now shown.

    Each finding has id, impact (minor, moderate, serious, critical), help and where.
    The script goes in past the page, so a strict Content-Security-Policy may stay.
    """
    page.evaluate(axe_source())
    return page.evaluate(RUN_AXE, options)
