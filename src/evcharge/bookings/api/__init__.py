"""Bookings for programs: what `pages/` does for people."""

from evcharge.bookings.api.operations import api

__all__ = ["api"]
