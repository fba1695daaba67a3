"""Money checked against itself: reconciliation, settlement, audit."""
