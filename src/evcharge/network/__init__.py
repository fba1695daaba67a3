"""What people see of the network: search, a location, an operator's fleet."""
