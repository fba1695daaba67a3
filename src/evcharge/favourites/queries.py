"""What somebody has saved. Nothing here changes anything."""

from collections.abc import Sequence

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from evcharge.favourites.models import Favourite


def saved_location_ids(session: Session, user_id: int) -> Sequence[int]:
    """Return the locations somebody has saved, the latest first."""
    return session.scalars(
        select(Favourite.location_id)
        .where(Favourite.user_id == user_id)
        .order_by(Favourite.created_at.desc(), Favourite.location_id)
    ).all()


def has_saved(session: Session, user_id: int, location_id: int) -> bool:
    return bool(
        session.scalar(
            select(
                exists().where(
                    Favourite.user_id == user_id, Favourite.location_id == location_id
                )
            )
        )
    )


def count_saved(session: Session, user_id: int) -> int:
    query = select(func.count()).where(Favourite.user_id == user_id)
    return session.scalar(query) or 0
