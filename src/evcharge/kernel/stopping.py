"""Programs end soon after they are told to, whatever is still going on in them."""

import logging
import os
from threading import Timer

log = logging.getLogger(__name__)

SECONDS_TO_STOP = 7  # Hosts kill after ten, some after eight.


def stop_in_time() -> None:
    """End this process in a few seconds, unless it has ended by then.

    A thread that hangs would keep it alive for ever. What it was doing is rolled
    back or, if it is a job, done again after the next start.
    """
    timer = Timer(SECONDS_TO_STOP, _leave)
    timer.daemon = True
    timer.start()


def _leave() -> None:
    log.warning("stopped before everything had ended")
    os._exit(0)
