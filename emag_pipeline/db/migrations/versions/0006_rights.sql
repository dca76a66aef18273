-- Which marketplace an account's data came from: offers of the sandbox never meet those of a real account.
ALTER TABLE {schema}.emag_accounts ADD COLUMN host text;
COMMENT ON COLUMN {schema}.emag_accounts.host IS
    'Host of the marketplace that the account was first read from, without port, e.g. `marketplace-api.emag.ro`; null until then. Another one is refused. Source: the settings.';
