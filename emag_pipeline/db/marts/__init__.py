"""The marts: what is computed from published offers and their history, one module each, in the database."""
