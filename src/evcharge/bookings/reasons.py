"""Why an operator takes a promise back: a line that the driver will read."""

from evcharge.accounts.rules import printable
from evcharge.kernel.errors import InvalidInput

LONGEST_REASON = 200


class UnclearReason(InvalidInput):
    code = "unclear_reason"
    message = f"Say why, in a line of at most {LONGEST_REASON} characters."


def reason_from_text(text: str) -> str:
    """Return a line without spare spaces. Raises: UnclearReason."""
    reason = " ".join(text.split())
    if not reason:
        raise UnclearReason("Say why. The driver reads it.")
    if len(reason) > LONGEST_REASON:
        raise UnclearReason(f"Use at most {LONGEST_REASON} characters.")
    if reason != printable(reason):
        raise UnclearReason("Use letters, digits and punctuation.")
    return reason
