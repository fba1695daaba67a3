"""OCPP 2.0.1, functional block H, Reservation."""

from evcharge.charging.service import reservation_ended
from evcharge.gateway.actions import Actions, Payload
from evcharge.gateway.socket import Connected

ACTIONS = Actions()


@ACTIONS.action("ReservationStatusUpdate")
async def reservation_status_update(charger: Connected, payload: Payload) -> Payload:
    await charger.do(
        reservation_ended,
        charger_id=charger.charger_id,
        number=payload["reservationId"],
        reason=payload["reservationUpdateStatus"].lower(),
        at=charger.received_at,
    )
    return {}
