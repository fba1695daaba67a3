"""Saving a place, and letting it go."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from evcharge.accounts.queries import lock_users
from evcharge.favourites.models import Favourite
from evcharge.favourites.queries import count_saved, has_saved
from evcharge.favourites.rules import MOST_SAVED, TooManySaved
from evcharge.network.queries import site_page


def save(session: Session, *, user_id: int, location_id: int, now: datetime) -> None:
    """Saving it again changes nothing. Raises: LocationNotFound, TooManySaved."""
    site_page(session, location_id)
    lock_users(session, [user_id])  # Two windows together do not save one too many.
    if has_saved(session, user_id, location_id):
        return
    if count_saved(session, user_id) >= MOST_SAVED:
        raise TooManySaved
    session.add(Favourite(user_id=user_id, location_id=location_id, created_at=now))


def remove(session: Session, *, user_id: int, location_id: int) -> None:
    """What was not saved is none the worse for it."""
    session.execute(
        delete(Favourite).where(
            Favourite.user_id == user_id, Favourite.location_id == location_id
        )
    )


def remove_all(session: Session, user_id: int) -> None:
    """Forget what somebody saved, who leaves."""
    session.execute(delete(Favourite).where(Favourite.user_id == user_id))
