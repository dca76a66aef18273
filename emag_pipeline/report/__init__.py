"""The report of an account: one HTML file that is readable offline."""
