"""What the program counts for its operators. Each process counts for itself."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Histogram(
    "evcharge_request_seconds",
    "How long pages and calls took, by route.",
    ["method", "route", "status"],
)
JOBS = Counter("evcharge_jobs", "Tries of jobs, by how they ended.", ["name", "result"])
JOBS_WAITING = Gauge("evcharge_jobs_waiting", "Jobs that still have to run.")
JOBS_GIVEN_UP = Gauge("evcharge_jobs_given_up", "Jobs that failed on their last try.")
LIVE_STREAMS = Gauge("evcharge_live_streams", "Pages that follow changes.")
AUDIT_FINDINGS = Gauge(
    "evcharge_audit_findings", "What the last audit of bookings and claims found."
)
FORGED_MESSAGES = Counter(
    "evcharge_forged_messages", "Messages with a wrong signature.", ["provider"]
)
UNKNOWN_MESSAGES = Counter(
    "evcharge_unknown_messages",
    "Signed messages of a kind, or about money, that we do not follow.",
    ["provider"],
)
METER_ODDITIES = Counter(
    "evcharge_meter_oddities", "Meter values that cannot be true, by why.", ["reason"]
)
CHARGERS_CONNECTED = Gauge(
    "evcharge_chargers_connected", "Chargers with a socket here."
)
CHARGERS_REFUSED = Counter(
    "evcharge_chargers_refused", "Connects that were turned away, by why.", ["reason"]
)
CHARGER_MESSAGES = Counter(
    "evcharge_charger_messages", "What chargers asked or told, by action.", ["action"]
)
CHARGER_ERRORS = Counter(
    "evcharge_charger_errors",
    "Messages answered by an error, and frames that could not be read, by kind.",
    ["kind"],
)
CHARGER_COMMANDS = Counter(
    "evcharge_charger_commands", "Commands, by how they ended.", ["kind", "state"]
)
GROUP_COMMITS = Counter("evcharge_group_commit_items", "What was stored for chargers.")
GROUP_COMMIT_SECONDS = Histogram(
    "evcharge_group_commit_seconds", "How long storing it took, many at once."
)
