from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from evcharge.kernel.db import Base, UtcDateTime


class TaxRegistration(Base):
    """A GSTIN of an operator. The law gives one for each state; `state` is spelled as
    in locations. Who ended it charges no tax under it any more; its papers stay."""

    __tablename__ = "tax_registrations"
    __table_args__ = (UniqueConstraint("operator_id", "gstin"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    gstin: Mapped[str] = mapped_column(String(15), index=True)
    state: Mapped[str] = mapped_column(String(80))
    legal_name: Mapped[str] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(String(250))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TaxCustomer(Base):
    """How a driver wants invoices made out: to a business, with its GSTIN."""

    __tablename__ = "tax_customers"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id"), primary_key=True, autoincrement=False
    )
    legal_name: Mapped[str] = mapped_column(String(120))
    gstin: Mapped[str] = mapped_column(String(15))
    address: Mapped[str] = mapped_column(String(250))
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
