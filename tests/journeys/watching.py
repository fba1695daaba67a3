"""Notices what a browser complains about while somebody uses our pages."""

from playwright.sync_api import ConsoleMessage, Page, Request, Response

# Said for every page that answers 4xx, which ours do on purpose.
REFUSED = "Failed to load resource: the server responded with a status of 4"


class Watcher:
    """`found` tells of console errors, policy violations, parts of pages that did not
    load, pages that broke, and requests to anybody but us."""

    def __init__(self, page: Page, *, home: str) -> None:
        self.found: list[str] = []
        self._home = home
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._note(f"a script broke: {error}"))
        page.on("request", self._see_request)
        page.on("response", self._see_response)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and REFUSED not in message.text:
            self._note(f"on the console: {message.text}")

    def _see_request(self, request: Request) -> None:
        if not request.url.startswith((self._home, "data:", "blob:")):
            self._note(f"a request to somebody else: {request.url}")

    def _see_response(self, response: Response) -> None:
        is_page = response.request.resource_type == "document"
        if response.status >= (500 if is_page else 400):
            self._note(f"{response.status} from {response.url}")

    def _note(self, what: str) -> None:
        self.found.append(what)
