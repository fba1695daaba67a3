"""The time that the pages of charging believe."""

from dataclasses import dataclass
from datetime import datetime

import pytest

from evcharge.bookings.pages import show as booking_page
from evcharge.charging import api
from evcharge.charging.pages import here, mine, show
from evcharge.web import formats, shell
from make import NOON


@dataclass
class Clock:
    now: datetime = NOON


def stop_clocks(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """At NOON, 17:30 in India, until moved."""
    clock = Clock()
    for module in (api, booking_page, here, mine, show, formats, shell):
        monkeypatch.setattr(module, "utc_now", lambda: clock.now)
    return clock
