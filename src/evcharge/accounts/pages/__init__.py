"""Pages on which people sign up, log in and look after their account."""

from . import account, entry, patience, tokens
from .blueprint import pages

__all__ = ["account", "entry", "pages", "patience", "tokens"]
