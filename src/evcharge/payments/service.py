"""Everything that can happen to money. Callers open the transaction."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session


class OnPaid(Protocol):
    """Told, inside the transaction of the payment, that money for an item came in."""

    def __call__(
        self,
        session: Session,
        *,
        item_id: UUID,
        amount_paise: int,
        payment_id: UUID,
        now: datetime,
    ) -> None: ...
