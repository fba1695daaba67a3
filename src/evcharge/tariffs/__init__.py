"""What charging costs: tariffs, where they apply, and what a charge comes to."""
