"""How fast is it here? Each row is measured beside a reference, in turns."""
