from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from evcharge.accounts.models import User
from evcharge.kernel.db import Base, UtcDateTime
from evcharge.stations.models import Location


class Favourite(Base):
    """A location that a driver wants to find again."""

    __tablename__ = "favourites"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), primary_key=True)
    location_id: Mapped[int] = mapped_column(
        ForeignKey(Location.id), primary_key=True, index=True
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
