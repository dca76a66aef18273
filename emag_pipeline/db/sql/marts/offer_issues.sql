-- emag_offer_issues: one row for each reason why an existing offer cannot be bought.

-- name: fresh
-- `since` is the start of the newest stretch of states that have the code: a state begins one when the state before it
-- had not the code, or did not reach up to it (the offer was away).
-- :words are the reasons and remedies by code; :unknown_reason and :unknown_remedy those of a code that is not in there.
-- :language is the one in which the marketplace is quoted where it can be (two letters).
WITH standing AS (
    SELECT o.account_type, o.emag_offer_id, o.general_stock, o.sale_price, o.currency, code
    FROM {schema}.emag_product_offers o
    CROSS JOIN LATERAL unnest({schema}.emag_issue_codes(
        o.status, o.general_stock, o.offer_validation_status, o.validation_status, o.translation_validation_status,
        o.unreadable
    )) code
    WHERE o.account_type = :account AND o.deleted_at IS NULL
),
states AS (
    SELECT h.emag_offer_id, h.valid_from, c.codes,
           lag(h.valid_to) OVER past AS before_until, lag(c.codes) OVER past AS codes_before
    FROM {schema}.emag_offer_history h
    CROSS JOIN LATERAL (SELECT {schema}.emag_issue_codes(
        h.status, h.general_stock, h.offer_validation_status, h.validation_status, h.translation_validation_status,
        h.unreadable
    )) c (codes)
    WHERE h.account_type = :account AND h.emag_offer_id IN (SELECT emag_offer_id FROM standing)
    WINDOW past AS (PARTITION BY h.emag_offer_id ORDER BY h.valid_from)
),
begun AS (
    SELECT emag_offer_id, code, max(valid_from) AS since
    FROM states
    CROSS JOIN LATERAL unnest(codes) code
    WHERE before_until IS DISTINCT FROM valid_from OR code <> ALL (codes_before)
    GROUP BY emag_offer_id, code
)
SELECT s.account_type, s.emag_offer_id, s.code AS issue_code,
       coalesce(CAST(:words AS jsonb) -> s.code ->> 'reason',
                format(CAST(:unknown_reason AS text), split_part(s.code, '_', 1), split_part(s.code, '_', 2))) AS reason,
       coalesce(CAST(:words AS jsonb) -> s.code ->> 'remedy', CAST(:unknown_remedy AS text)) AS remedy,
       {schema}.emag_refusal_said(s.code, p.validation_details, p.doc_errors, CAST(:language AS text)) AS said,
       begun.since,
       greatest(s.general_stock, 0) AS stock_held_back,
       greatest(s.general_stock, 0) * s.sale_price AS value_held_back,
       s.currency
FROM standing s
LEFT JOIN begun USING (emag_offer_id, code)
LEFT JOIN {schema}.emag_products p USING (account_type, emag_offer_id);

-- name: numbers
-- An offer with several issues holds back its stock once.
SELECT count(*) AS issues, count(DISTINCT emag_offer_id) AS offers_with_issues,
       coalesce((SELECT sum(stock) FROM (SELECT max(stock_held_back) AS stock FROM {schema}.emag_offer_issues
                                         WHERE account_type = :account GROUP BY emag_offer_id) one), 0) AS stock_held_back,
       coalesce((SELECT sum(value) FROM (SELECT max(value_held_back) AS value FROM {schema}.emag_offer_issues
                                         WHERE account_type = :account GROUP BY emag_offer_id) one), 0) AS value_held_back
FROM {schema}.emag_offer_issues
WHERE account_type = :account;

-- name: sample
SELECT emag_offer_id, issue_code, reason, said, since, stock_held_back, value_held_back, currency
FROM {schema}.emag_offer_issues
WHERE account_type = :account
ORDER BY value_held_back DESC NULLS LAST, emag_offer_id, issue_code
LIMIT :limit;
