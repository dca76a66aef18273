"""PostgreSQL for all slices: transactions, migrations, roles. Only this slice uses the driver."""

from sqlalchemy.exc import OperationalError

__all__ = ["OperationalError"]
