"""The marts: tables for the data team, computed from the published offers and their history."""
