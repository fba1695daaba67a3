"""What can be done at the simulated gateway, and what each choice leads to."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from evcharge.payments.rules import PaymentStatus

LATE = timedelta(seconds=30)

PAID = PaymentStatus.PAID
FAILED = PaymentStatus.FAILED
CANCELLED = PaymentStatus.CANCELLED


class Choice(StrEnum):
    """What can be done at the gateway: a button each."""

    PAY = "pay"
    FAIL = "fail"
    LEAVE = "leave"
    PAY_LATE = "pay_late"
    PAY_AND_STAY = "pay_and_stay"
    FAIL_THEN_PAY = "fail_then_pay"
    TOLD_TWICE = "told_twice"
    TOLD_BACKWARDS = "told_backwards"


@dataclass(frozen=True)
class Course:
    """What a choice leads to: the gateway's truth, what it tells the shop and when,
    and what the payer's browser carries back (`goes_back=False`: it never does)."""

    truth: PaymentStatus
    news: tuple[tuple[PaymentStatus, timedelta], ...]
    carried: PaymentStatus | None = None
    goes_back: bool = True


AT_ONCE = timedelta(0)
COURSES = {
    Choice.PAY: Course(PAID, ((PAID, AT_ONCE),), carried=PAID),
    Choice.FAIL: Course(FAILED, ((FAILED, AT_ONCE),), carried=FAILED),
    Choice.LEAVE: Course(CANCELLED, ((CANCELLED, AT_ONCE),), carried=CANCELLED),
    Choice.PAY_LATE: Course(PAID, ((PAID, LATE),)),
    Choice.PAY_AND_STAY: Course(PAID, ((PAID, AT_ONCE),), goes_back=False),
    Choice.FAIL_THEN_PAY: Course(PAID, ((FAILED, AT_ONCE), (PAID, LATE)), FAILED),
    Choice.TOLD_TWICE: Course(PAID, ((PAID, AT_ONCE), (PAID, AT_ONCE)), PAID),
    Choice.TOLD_BACKWARDS: Course(PAID, ((PAID, AT_ONCE), (FAILED, LATE)), PAID),
}
