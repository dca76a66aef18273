"""What the data team reviews on published offers, check by check, less what it accepts."""
