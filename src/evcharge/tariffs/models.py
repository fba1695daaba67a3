from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evcharge.kernel.db import Base, UtcDateTime


class Tariff(Base):
    """What an operator charges. `terms` is what `rules.Terms` reads and writes.

    Bookings and sessions keep a copy of the terms they were made under, so that an
    edit never touches them. `version` counts edits.
    """

    __tablename__ = "tariffs"

    id: Mapped[int] = mapped_column(primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    terms: Mapped[dict[str, Any]] = mapped_column(JSON)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)

    assignments: Mapped[list["TariffAssignment"]] = relationship(
        back_populates="tariff", order_by="TariffAssignment.id"
    )


class TariffAssignment(Base):
    """Where and when a tariff applies: an EVSE, a location, or all of its operator.

    The nearest wins: EVSE before location before operator; among equals the one that
    began last. `valid_until` is the first moment it no longer applies.
    """

    __tablename__ = "tariff_assignments"
    __table_args__ = (
        Index(None, "evse_id"),
        Index(None, "location_id"),
        Index(None, "operator_id"),
        CheckConstraint("location_id IS NULL OR evse_id IS NULL", name="scope"),
        CheckConstraint(
            "valid_until IS NULL OR valid_from < valid_until", name="validity"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tariff_id: Mapped[int] = mapped_column(ForeignKey("tariffs.id"), index=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    evse_id: Mapped[int | None] = mapped_column(ForeignKey("evses.id"))
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    tariff: Mapped[Tariff] = relationship(back_populates="assignments")


class PriceCeiling(Base):
    """A ceiling of the government on the service charge, before GST, and its source.

    Going above it brings a warning, never a refusal.
    """

    __tablename__ = "price_ceilings"

    current: Mapped[str] = mapped_column(String(2), primary_key=True)  # AC or DC
    period: Mapped[str] = mapped_column(String(10), primary_key=True)  # solar or other
    paise_per_kwh: Mapped[int]
    source: Mapped[str] = mapped_column(String(200))
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
