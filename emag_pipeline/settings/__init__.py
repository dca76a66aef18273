"""The environment as typed settings (README.md, "Settings"). The real environment wins over `.env`; an empty value
means unset, except for EMAG_HOME, where it is an error.

Each field of the model names its variable. Each wrong value is reported in one line: variable, value (masked if
secret), allowed values.
"""

from emag_pipeline.settings.accounts import is_account_name
from emag_pipeline.settings.model import Settings
from emag_pipeline.settings.reading import current, given_variables, load_settings
from emag_pipeline.settings.redaction import secrets_given

__all__ = ["Settings", "current", "given_variables", "is_account_name", "load_settings", "secrets_given"]
