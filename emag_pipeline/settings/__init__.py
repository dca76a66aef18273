"""The environment as typed settings (README.md, "Settings"). Real environment wins over `.env`; empty means
unset, but for EMAG_HOME: of that it is an error.

Each field of the model carries the variable that it comes from. A wrong value becomes one line: variable, value (masked
if secret), what is allowed.
"""

from emag_pipeline.settings.accounts import is_account_name
from emag_pipeline.settings.model import Settings
from emag_pipeline.settings.reading import current, given_variables, load_settings
from emag_pipeline.settings.redaction import secrets_given

__all__ = ["Settings", "current", "given_variables", "is_account_name", "load_settings", "secrets_given"]
