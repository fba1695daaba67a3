"""A charging session: authorised, started, metered, stopped."""
