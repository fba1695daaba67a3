"""Money asked for, received and returned."""
