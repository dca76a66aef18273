"""Retention: data that is no longer needed is removed, once a day or by hand."""
