"""Numbers for operators; reads everything, writes nothing."""
