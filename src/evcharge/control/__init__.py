"""What joins us to chargers: their keys, connections, commands and own words."""
