-- The published state of an account.

-- name: headline
-- The account's key figures, counted from its published offers.
WITH offers AS (
    SELECT deleted_at, rejected_at, is_saleable, currency,
           greatest(general_stock, 0)::numeric AS pieces, sale_price
    FROM emag_product_offers WHERE account_type = :account
),
money AS MATERIALIZED (  -- evaluated once, not per row
    SELECT emag_account_currency(:account) AS currency
)
SELECT :account AS account, a.marketplace, money.currency,
       s.sync_id, s.completed_at AS published_at,
       emag_known_since(:account) AS known_since, counted.*
FROM money
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE deleted_at IS NULL) AS offers,
           count(*) FILTER (WHERE deleted_at IS NULL AND is_saleable) AS saleable,
           coalesce(sum(pieces) FILTER (WHERE deleted_at IS NULL), 0) AS stock,
           coalesce(sum(pieces * sale_price) FILTER (
               WHERE deleted_at IS NULL AND emag_in_currency(currency, money.currency)
           ), 0) AS stock_value,
           coalesce(sum(pieces) FILTER (
               WHERE deleted_at IS NULL AND sale_price IS NOT NULL
                 AND emag_in_currency(currency, money.currency)
           ), 0) AS stock_valued,
           coalesce(sum(pieces) FILTER (
               WHERE deleted_at IS NULL AND NOT emag_in_currency(currency, money.currency)
           ), 0) AS stock_in_other_currencies,
           count(*) FILTER (
               WHERE deleted_at IS NULL AND NOT emag_in_currency(currency, money.currency)
           ) AS offers_in_other_currencies,
           coalesce(array_agg(DISTINCT currency ORDER BY currency) FILTER (
               WHERE deleted_at IS NULL AND NOT emag_in_currency(currency, money.currency)
           ), '{}') AS other_currencies,
           count(*) FILTER (WHERE deleted_at IS NOT NULL) AS deleted,
           count(*) FILTER (WHERE deleted_at IS NULL AND rejected_at IS NOT NULL) AS quarantined
    FROM offers
) counted
LEFT JOIN emag_accounts a ON a.account_type = :account
LEFT JOIN LATERAL (
    SELECT sync_id, completed_at FROM emag_offer_syncs
    WHERE account_type = :account AND status = 'completed' ORDER BY completed_at DESC LIMIT 1
) s ON true;

-- name: first_publish_day
-- The day (UTC) of the oldest publish of any account.
SELECT (min(published_at) AT TIME ZONE 'UTC')::date FROM emag_publishes;

-- name: first_publish_days
-- The day (UTC) of the first publish of each of these accounts.
SELECT account, (emag_known_since(account) AT TIME ZONE 'UTC')::date AS day
FROM unnest(CAST(:accounts AS text[])) AS account;

-- name: offers
-- All published offers of an account, tombstoned ones too, with their narrow and wide columns.
SELECT emag_offer_id, {columns}, deleted_at IS NOT NULL AS is_deleted, o.xmin::text AS version
FROM emag_product_offers o
JOIN emag_products USING (account_type, emag_offer_id)
WHERE account_type = :account;
