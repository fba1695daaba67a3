"""Double entry: every paisa that moved, in rows that are only ever added."""
