from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evcharge.accounts.rules import Role, UserStatus, name_key
from evcharge.kernel.db import Base, UtcDateTime


class User(Base):
    """A person with a login. Its row is the lock behind the limits per driver."""

    __tablename__ = "users"
    __table_args__ = (Index(None, "role", "status"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    phone: Mapped[str | None] = mapped_column(String(20))
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[Role] = mapped_column(default=Role.DRIVER)
    status: Mapped[UserStatus] = mapped_column(default=UserStatus.ACTIVE)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Login(Base):
    """One browser that is signed in. The cookie names it; ending it logs that out.

    With a `token_hash` it is a program, which sends the token; `device` is its name.
    """

    __tablename__ = "logins"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    device: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True, index=True)


def _name_key(context: DefaultExecutionContext) -> str:
    row = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return name_key(row["name"])


class Operator(Base):
    """An organisation that runs chargers; OCPI calls it a CPO."""

    __tablename__ = "operators"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    # Folded by Python: SQLite would only fold the case of ASCII. Edits write it too.
    name_key: Mapped[str] = mapped_column(
        String(120), default=_name_key, server_default="", index=True, unique=True
    )
    support_phone: Mapped[str | None] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    members: Mapped[list["OperatorMember"]] = relationship(back_populates="operator")


class OperatorMember(Base):
    """A person who works for an operator and sees its network."""

    __tablename__ = "operator_members"

    operator_id: Mapped[int] = mapped_column(
        ForeignKey("operators.id"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id"), primary_key=True, index=True
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    operator: Mapped[Operator] = relationship(back_populates="members")


class Guest(Base):
    """Somebody who charges without an account. Their row is the lock behind what they
    pay; their link is the id, signed."""

    __tablename__ = "guests"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RfidTag(Base):
    """A card or key fob a driver charges with. `uid` as chargers read it, folded."""

    __tablename__ = "rfid_tags"

    uid: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    label: Mapped[str] = mapped_column(String(60), default="")
    is_blocked: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
