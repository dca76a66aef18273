"""The checks on published offers for the data team, and the deviations that it accepts."""
