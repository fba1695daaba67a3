"""OCPP 2.0.1, functional block H, Reservation."""

from evcharge.control.rules import NoticeKind
from evcharge.gateway.actions import Actions
from evcharge.gateway.records import noticed

ACTIONS = Actions(
    ReservationStatusUpdate=noticed(
        NoticeKind.OTHER,
        lambda payload: (
            f"Reservation {payload['reservationId']}: "
            f"{payload['reservationUpdateStatus']}"
        ),
    )
)
