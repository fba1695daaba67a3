"""Payment providers, one module each, behind one protocol."""
