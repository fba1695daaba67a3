"""A made-up network in real places, for trying everything out."""
