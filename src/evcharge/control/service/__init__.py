"""Keys, connections, commands and what chargers say. Callers open the transaction."""

from evcharge.control.service.commands import (
    answer_command,
    ask_charger,
    expire_commands,
    queue_command,
    take_commands,
)
from evcharge.control.service.connections import (
    Opening,
    close_connection,
    close_connections_of,
    open_connection,
    open_connections,
    record_boot,
)
from evcharge.control.service.keys import (
    issue_key,
    park,
    set_key,
    take_in,
    turn_away,
    withdraw_key,
)
from evcharge.control.service.words import (
    purge_words,
    record_messages,
    record_notice,
    record_variables,
)

__all__ = [
    "Opening",
    "answer_command",
    "ask_charger",
    "close_connection",
    "close_connections_of",
    "expire_commands",
    "issue_key",
    "open_connection",
    "open_connections",
    "park",
    "purge_words",
    "queue_command",
    "record_boot",
    "record_messages",
    "record_notice",
    "record_variables",
    "set_key",
    "take_commands",
    "take_in",
    "turn_away",
    "withdraw_key",
]
