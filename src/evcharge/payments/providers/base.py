"""What a payment provider is to us, as moments and prohibitions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from evcharge.payments.rules import Message, Movement, Outcome, RefundNews


@dataclass(frozen=True)
class Order:
    """What a provider is asked to collect. `ref` is made from the payment's id.

    `origin` is where our own pages are, for providers that are elsewhere.
    """

    ref: str
    amount_paise: int
    description: str
    return_path: str
    expires_at: datetime
    origin: str = ""


# The browser brings good news, but not all of them: ask the provider.
ASK: Literal["ask"] = "ask"


class Provider(Protocol):
    """A party that moves money for us.

    No method touches our payments, refunds or bookings: it says what it learnt, and
    `service.record_outcome` decides what follows. Methods that may use the network
    are never called inside a transaction, give up within ten seconds, and raise
    Unavailable when there was no answer: then nobody knows what happened, and the
    call will be repeated with the same names.
    """

    @property
    def name(self) -> str:
        """How payments, webhook addresses and settings call it. At most 20 letters."""
        ...

    @property
    def page_origins(self) -> tuple[str, ...]:
        """Where its pages are, as sources for our Content-Security-Policy: a form of
        ours that leads there would otherwise be stopped by the browser."""
        ...

    def open_order(self, order: Order) -> str:
        """Return the address of the page where the payer pays.

        When: after the payment's row has committed; again after a crash, a double
        click or a return to the shop. The same `ref` again is the same order, with
        its deadline moved to `expires_at` if that is later. Never moves money.
        Uses the network.
        """
        ...

    def read_message(self, body: bytes, headers: Mapping[str, str]) -> Message:
        """Verify and read a webhook.

        When: before any transaction, on bytes exactly as they came. Verifies before
        it parses. Never uses the network, the database or the clock, and believes
        nothing that is not covered by the signature.

        Raises: ForgedMessage, UnreadableMessage.
        """
        ...

    def read_return(
        self, ref: str, query: Mapping[str, str]
    ) -> Outcome | Literal["ask"] | None:
        """Return what the payer's browser carries home, None if it says nothing,
        ASK if it says, signed, that there are news without saying all of them.

        When: the payer lands on our return page. `ref` is the one we stored, never
        one from the address. Never uses the network. A browser may bring the same
        address again years later.

        Raises: ForgedMessage.
        """
        ...

    def ask(self, ref: str) -> Outcome | None:
        """Return how an order stands; None if the provider does not know it.

        When: a webhook is overdue. Any number of times. Never changes anything.
        Uses the network.
        """
        ...

    def close_order(self, ref: str) -> Outcome | None:
        """Make sure that an unpaid order can no longer be paid, and return how it
        stands then: PAID, if the payer was quicker. None for an unknown order.

        When: the time to pay is long over. Never touches money that came in.
        Uses the network.
        """
        ...

    def refund(self, ref: str, *, refund_id: UUID, amount_paise: int) -> RefundNews:
        """Send money back and return how far that is: often SENT, and DONE later.

        When: from a job, after the refund's row has committed. The only method that
        moves money, and only once for each `refund_id`, however often it is called:
        also where an earlier call did the work and its answer was lost. Only one that
        the provider itself gave up (FAILED) is sent anew. Uses the network.

        Raises: RefundRefused when trying again is pointless.
        """
        ...

    def ask_refund(self, ref: str, refund_id: UUID) -> RefundNews | None:
        """Return how a refund stands; None if the provider does not know it.

        When: a refund is under way for long. Any number of times. Never changes
        anything. Uses the network.
        """
        ...

    def movements(self, since: datetime, until: datetime) -> Iterable[Movement]:
        """Return the money that moved between the two moments, by the provider's own
        books: what came in, and refunds that were not given up.

        When: for the daily comparison with ours, from a job. Never changes anything.
        Uses the network, ten seconds at most for each page of an answer.
        """
        ...
