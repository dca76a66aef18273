-- Which marketplace an account's data came from: offers of the sandbox never meet those of a real account.
ALTER TABLE {schema}.emag_accounts ADD COLUMN host text;
COMMENT ON COLUMN {schema}.emag_accounts.host IS
    'Host of the marketplace that the account was first read from, without port, e.g. `marketplace-api.emag.ro`; null until then. Another one is refused. Source: the settings.';

-- An account that its installation does not know any more: its offers are as they last were.
ALTER TABLE {schema}.emag_accounts ADD COLUMN left_at timestamptz;
COMMENT ON COLUMN {schema}.emag_accounts.left_at IS
    'When the installation that last synced the account was seen without it; null while it is configured. What is kept of it is as of its last publish. Source: the settings.';
