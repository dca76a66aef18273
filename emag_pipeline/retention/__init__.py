"""Retention: what has served its purpose is removed, once a day or by hand."""
