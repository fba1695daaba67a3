"""Maintenance: keeping an EVSE out of use for a while, and giving it back."""

from uuid import UUID

from sqlalchemy.orm import Session

from evcharge.bookings.asking import actor
from evcharge.bookings.models import MaintenanceBlock
from evcharge.bookings.reasons import reason_from_text
from evcharge.bookings.rules import BlockNotFound, Slot, SlotNotBookable, SlotTaken
from evcharge.bookings.service import block_evse, lift_block
from evcharge.kernel.clock import utc_now
from evcharge.network.admin_api.acting import CLOSING, InTheWay, act, api
from evcharge.network.admin_api.describe import block_answer
from evcharge.network.admin_api.evses import kept_evse
from evcharge.network.admin_api.shapes import BlockAnswer, NewBlock
from evcharge.network.own import own_block
from evcharge.stations.rules import EvseNotFound
from evcharge.web.context import operator_required


@api.post(
    "/admin/evses/<int:evse_id>/blocks",
    guard=operator_required,
    status=201,
    problem=InTheWay,
    refuses=(EvseNotFound, SlotNotBookable, SlotTaken, *CLOSING),
)
def create_admin_block(evse_id: int, body: NewBlock) -> BlockAnswer:
    """Plan maintenance: nobody can book the EVSE for that time.

    Bookings are in the way, unless they are to be cancelled, with full refund.
    """
    kept_evse(evse_id)
    slot, reason = Slot(body.starts_at, body.ends_at), reason_from_text(body.reason)
    who, now = actor(), utc_now()

    def block(session: Session) -> BlockAnswer:
        planned = block_evse(
            session,
            evse_id=evse_id,
            slot=slot,
            reason=reason,
            actor=who,
            cancel_bookings=body.cancel_bookings,
            now=now,
        )
        return block_answer(planned)

    try:
        return act(block)
    except SlotTaken as refusal:
        raise SlotTaken(
            "Maintenance is planned for some of that time already."
        ) from refusal


@api.post(
    "/admin/blocks/<uuid:block_id>/lift",
    guard=operator_required,
    refuses=(BlockNotFound, EvseNotFound),
)
def lift_admin_block(block_id: UUID) -> BlockAnswer:
    """Lift maintenance: what is left of its time can be booked. Twice is the same."""
    own_block(block_id)
    now = utc_now()

    def lift(session: Session) -> BlockAnswer:
        lift_block(session, block_id=block_id, now=now)
        return block_answer(session.get_one(MaintenanceBlock, block_id))

    return act(lift)
