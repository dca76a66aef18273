"""PostgreSQL for all slices: transactions, migrations, roles. The only room that knows the driver."""

from sqlalchemy.exc import OperationalError

__all__ = ["OperationalError"]
