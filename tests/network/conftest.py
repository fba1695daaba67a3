import pytest

from evcharge.network import pages
from evcharge.web import formats
from make import NOON


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver pages believe that it is NOON, 17:30 in India."""
    monkeypatch.setattr(pages, "utc_now", lambda: NOON)
    monkeypatch.setattr(formats, "utc_now", lambda: NOON)
