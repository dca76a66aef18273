"""The marts: answers that the data team reads, computed from what is published and its history.

A mart is a file of `db/sql/marts` and an entry in `db.marts.marts`; `refresh` brings one up to date.
"""
