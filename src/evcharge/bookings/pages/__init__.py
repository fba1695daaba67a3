"""Pages for drivers: choose a time, look at a booking, change it."""

from . import book, move, show
from .blueprint import pages

__all__ = ["book", "move", "pages", "show"]
