"""An exact, current and historical copy of a seller's eMAG offers in PostgreSQL."""
