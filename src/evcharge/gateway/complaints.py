"""What chargers do wrong is logged once for each kind; the counters have the rest."""

import logging
from collections import OrderedDict
from time import monotonic

log = logging.getLogger(__name__)

SECONDS_BETWEEN = 3600
MOST_REMEMBERED = 20_000


class Complaints:
    def __init__(self) -> None:
        self._logged_at: OrderedDict[tuple[str, str], float] = OrderedDict()

    def about(self, identity: str, kind: str, details: str = "") -> None:
        """Log it, unless the same was logged of this charger within the hour."""
        key, now = (identity, kind), monotonic()
        logged_at = self._logged_at.get(key)
        if logged_at is not None and now - logged_at < SECONDS_BETWEEN:
            return
        self._logged_at[key] = now
        self._logged_at.move_to_end(key)
        if len(self._logged_at) > MOST_REMEMBERED:
            self._logged_at.popitem(last=False)
        log.warning("charger %s: %s %.200s", identity, kind, details)
