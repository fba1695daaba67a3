"""What the books say of operators, locations and days. Changes nothing."""
