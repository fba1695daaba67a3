"""The customer's first way to sell slots: read a counter, check it, write it.

Written anew in its spirit: Flask, Flask-SQLAlchemy as it comes, a number of free slots
on every charger, a booking without a time. It is here to be measured beside ours.
"""

import os

from flask import Flask, session
from flask.typing import ResponseReturnValue
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

PRICE_RUPEES = 120.0
USER = 1
PLENTY = 1_000_000


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)


class User(db.Model):  # type: ignore[name-defined, misc]
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Charger(db.Model):  # type: ignore[name-defined, misc]
    id: Mapped[int] = mapped_column(primary_key=True)
    total_slots: Mapped[int]
    available_slots: Mapped[int]


class Booking(db.Model):  # type: ignore[name-defined, misc]
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    charger_id: Mapped[int] = mapped_column(ForeignKey(Charger.id))
    status: Mapped[str]
    payment_status: Mapped[str]
    amount: Mapped[float]


def make() -> Flask:
    return program(
        os.environ["EVCHARGE_DATABASE_URL"], os.environ["EVCHARGE_SECRET_KEY"]
    )


def program(url: str, secret: str) -> Flask:
    app = Flask(__name__)
    app.secret_key = secret
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    db.init_app(app)

    @app.get("/healthz")
    def alive() -> ResponseReturnValue:
        return {}

    @app.post("/book/<int:charger_id>")
    def book(charger_id: int) -> ResponseReturnValue:
        user = db.session.get(User, session["user_id"])
        charger = db.session.get(Charger, charger_id)
        if user is None or charger is None:
            return {"error": "not found"}, 404
        if charger.available_slots <= 0:
            return {"error": "no slots"}, 409
        booking = Booking(
            user_id=user.id,
            charger_id=charger.id,
            status="ACTIVE",
            payment_status="PENDING",
            amount=PRICE_RUPEES,
        )
        charger.available_slots -= 1
        db.session.add(booking)
        db.session.commit()
        return {"id": booking.id}, 201

    return app


def prepare(app: Flask, *, single: int, clients: int) -> str:
    """Make a user, chargers of one slot, and for each client one of plenty.

    Return the cookie of a browser in which that user is signed in.
    """
    slots = [1] * single + [PLENTY] * clients
    with app.app_context():
        db.create_all()
        db.session.add(User(id=USER, name="Asha Rao"))
        for number, each in enumerate(slots, start=1):
            db.session.add(Charger(id=number, total_slots=each, available_slots=each))
        db.session.commit()
        db.engine.dispose()
    return _cookie(app)


def sold(app: Flask, charger_id: int) -> int:
    """Return how many bookings there are of a charger."""
    wanted = select(func.count()).where(Booking.charger_id == charger_id)
    with app.app_context():
        return db.session.scalar(wanted) or 0


def _cookie(app: Flask) -> str:
    with app.test_client() as browser:
        with browser.session_transaction() as kept:
            kept["user_id"] = USER
        found = browser.get_cookie("session")
    return f"session={found.value}" if found else ""
