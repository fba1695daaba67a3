"""What is refused about saved places. Plain Python."""

from evcharge.kernel.errors import Conflict

MOST_SAVED = 100


class TooManySaved(Conflict):
    code = "too_many_saved"
    message = f"You have saved {MOST_SAVED} places. Remove one first."
