-- Facts about each account: its marketplace and host, the page size that works, whether it is still configured.

-- name: note
-- Each account with its marketplace and currency. In a fixed order, so that two processes cannot deadlock.
INSERT INTO emag_accounts AS a (account_type, marketplace, currency)
SELECT * FROM unnest(CAST(:accounts AS text[]), CAST(:marketplaces AS text[]), CAST(:currencies AS text[]))
ORDER BY 1
ON CONFLICT (account_type) DO UPDATE
    SET marketplace = excluded.marketplace, currency = excluded.currency, noted_at = now(), left_at = NULL
    WHERE (a.marketplace, a.currency, a.left_at)
        IS DISTINCT FROM (excluded.marketplace, excluded.currency, CAST(NULL AS timestamptz));

-- name: mark_left
-- Without accounts of another installation on the same database.
UPDATE emag_accounts a SET left_at = now()
WHERE a.left_at IS NULL AND NOT (a.account_type = ANY(CAST(:accounts AS text[])))
  AND (SELECT s.dagster_instance_id FROM emag_offer_syncs s
       WHERE s.account_type = a.account_type ORDER BY s.sync_number DESC LIMIT 1) = :by;

-- name: left_accounts
-- Accounts with stored offers that are not configured.
SELECT account_type FROM emag_account_figures
WHERE NOT (account_type = ANY(CAST(:configured AS text[])))
ORDER BY 1;

-- name: note_host
-- Records the host that an account is first read from; a known one is kept.
INSERT INTO emag_accounts AS a (account_type, marketplace, currency, host)
VALUES (:account, :marketplace, :currency, :host)
ON CONFLICT (account_type) DO UPDATE SET host = coalesce(a.host, excluded.host)
RETURNING host;

-- name: page_size
-- The page size that works; after a day a larger one is attempted.
SELECT page_size AS size, coalesce(page_size_at > now() - interval '1 day', false) AS is_recent
FROM emag_accounts WHERE account_type = :account;

-- name: note_page_size
-- NULL if the page size in the settings works.
UPDATE emag_accounts SET page_size = :size, page_size_at = clock_timestamp() WHERE account_type = :account;
