"""The words that reports use for what they count."""

from enum import StrEnum


class JobState(StrEnum):
    """Where a job is: `kernel.jobs` keeps instants, people want a word."""

    FAILED = "failed"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
