"""Notices what a browser complains about while somebody uses our pages."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import ConsoleMessage, Error, Page, Request, Response

# Said for every page that answers 4xx, which ours do on purpose.
REFUSED = "Failed to load resource: the server responded with a status of 4"


class Watcher:
    """`wrong` fills with console errors, policy violations, scripts that break, parts
    of pages that do not load, and requests to anybody but us."""

    def __init__(self, home: str) -> None:
        self.wrong: list[str] = []
        self._home = home

    def console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and REFUSED not in message.text:
            self.wrong.append(f"on the console: {message.text}")

    def pageerror(self, error: Error) -> None:
        self.wrong.append(f"a script broke: {error}")

    def request(self, request: Request) -> None:
        if not request.url.startswith((self._home, "data:", "blob:")):
            self.wrong.append(f"a request to somebody else: {request.url}")

    def response(self, response: Response) -> None:
        is_page = response.request.resource_type == "document"
        if response.status >= (500 if is_page else 400):
            self.wrong.append(f"{response.status} from {response.url}")


@contextmanager
def watching(page: Page, *, home: str) -> Iterator[list[str]]:
    """Yield what goes wrong meanwhile."""
    watcher = Watcher(home)
    events = ("console", "pageerror", "request", "response")
    for event in events:
        page.on(event, getattr(watcher, event))
    yield watcher.wrong
    for event in events:
        page.remove_listener(event, getattr(watcher, event))
