"""What the report and the pictures of an account show: small readings of tables that others fill, one module a subject.

Every list has an end: `limit` rows, `days` days. Money is without VAT, times are UTC, days are those of
`emag_daily_assortment`.
"""
