"""What was finally owed for a booking or a charge, and what follows from it."""
