"""What browsers say: which one it is, and where it wants to go after logging in."""

import re

from evcharge.accounts.rules import printable

LONGEST_DEVICE = 200

# The first that fits: every browser also calls itself Mozilla, most also Safari.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "Mac",
    "CrOS": "Chromebook",
    "Linux": "Linux",
}


def device_from_agent(user_agent: str) -> str:
    """Return what is kept of what a browser calls itself."""
    return printable(user_agent)[:LONGEST_DEVICE]


def device_name(device: str) -> str:
    """`Chrome on Android`, as far as a browser tells."""
    browser = _first(BROWSERS, device)
    system = _first(SYSTEMS, device)
    return f"{browser or 'A browser'} on {system}" if system else browser or "A program"


def _first(names: dict[str, str], text: str) -> str | None:
    return next((name for sign, name in names.items() if sign in text), None)


# Where to go after logging in

OWN_PATH = re.compile(r"/(?!/)[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]{0,1000}")


def own_path_or_none(target: str | None) -> str | None:
    """Return the target if it is a page of ours, so that `?next=` leads nowhere else.

    Browsers read `\\` as `/`, skip tabs and line breaks, and take what follows `//`
    for another host: only the plain characters of RFC 3986 pass.
    """
    if not target or not OWN_PATH.fullmatch(target):
        return None
    path = target.partition("?")[0]
    return None if "//" in path else target.removesuffix("?")
