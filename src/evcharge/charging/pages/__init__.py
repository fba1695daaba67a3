"""Pages for whoever charges: at the charger, while it goes on, and afterwards."""

from . import everywhere, here, mine, show, visits
from .blueprint import pages

__all__ = ["everywhere", "here", "mine", "pages", "show", "visits"]
