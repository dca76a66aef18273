-- Known deviations that the data team accepts for a time (emag_accepted_deviations). Without an offer, an acceptance applies
-- to the whole account.

-- name: active
-- The acceptances in force for :account and :check: a table `d` and its condition.
emag_accepted_deviations d
    WHERE d.account_type = :account AND d.check_name = :check AND d.withdrawn_at IS NULL AND d.expires_at > now();

-- name: is_accepted
-- Whether all findings of a check on the account are accepted.
SELECT EXISTS (SELECT FROM {active} AND d.emag_offer_id IS NULL);

-- name: accept
INSERT INTO emag_accepted_deviations (account_type, check_name, emag_offer_id, reason, accepted_by, expires_at)
SELECT :account, :check, offer, :reason, :by, :expires_at
FROM unnest(CAST(:offers AS bigint[])) AS accepted (offer);

-- name: withdraw
UPDATE emag_accepted_deviations SET withdrawn_at = now()
WHERE deviation_id = :id AND withdrawn_at IS NULL AND expires_at > now();

-- name: deviations
SELECT deviation_id, account_type AS account, check_name AS check, emag_offer_id AS offer_id, reason, accepted_by,
       accepted_at, expires_at, withdrawn_at, withdrawn_at IS NULL AND expires_at > now() AS is_active
FROM emag_accepted_deviations;

-- name: of_accounts
-- The next to end first.
SELECT * FROM ({deviations}) d
WHERE account = ANY(:accounts) AND (is_active OR :also_ended)
ORDER BY expires_at, deviation_id;

-- name: unknown_offers
SELECT offer FROM unnest(CAST(:offers AS bigint[])) AS wanted (offer)
WHERE NOT EXISTS (SELECT FROM emag_product_offers o
                  WHERE o.account_type = :account AND o.emag_offer_id = offer AND o.deleted_at IS NULL);
