-- emag_offer_issues: one row for each reason why an existing offer cannot be bought.

-- name: touched
-- Offers with a younger state, content or tombstone; and those whose lost sales are told: each day that goes by tells them
-- otherwise. Where none are told, none come without a younger state.
SELECT emag_offer_id FROM emag_offer_states WHERE account_type = :account AND stamp_from > :shown_at
UNION
SELECT emag_offer_id FROM emag_product_offers WHERE account_type = :account AND deleted_at > :shown_at
UNION
SELECT emag_offer_id FROM emag_products WHERE account_type = :account AND changed_at > :shown_at
UNION
SELECT emag_offer_id FROM emag_offer_issues WHERE account_type = :account AND sales_lost_a_day IS NOT NULL

-- name: fresh
-- The codes of a state are found once (OFFSET 0), those of past states only where the newest one has any. `since` is the
-- start of the newest stretch of states that have the code: a state begins one when the state before it had not the code,
-- or did not reach up to it (the offer was away).
-- :words are the reasons and remedies by code, `stock_unknown:told` those of a total stock that is told and is no number:
-- `raw` holds what no column does. :unknown_reason and :unknown_remedy those of a code that is not in there.
-- :language is the one in which the marketplace is quoted where it can be (two letters).
WITH standing AS MATERIALIZED (
    SELECT h.emag_offer_id, h.stamp_from, h.stamp_to, c.codes
    FROM emag_offer_states h
    CROSS JOIN LATERAL (SELECT emag_issue_codes(
        h.status, h.general_stock, h.sale_price, h.offer_validation_status, h.validation_status,
        h.translation_validation_status, h.unreadable
    ) OFFSET 0) c (codes)
    WHERE h.account_type = :account AND h.stamp_to IS NULL AND {h_of_touched} AND c.codes <> '{}'
),
states AS (
    SELECT s.emag_offer_id, s.stamp_from, s.stamp_to IS NULL AS is_standing, s.codes,
           lag(s.stamp_to) OVER past AS before_until, lag(s.codes) OVER past AS codes_before
    FROM (
        SELECT * FROM standing
        UNION ALL
        SELECT h.emag_offer_id, h.stamp_from, h.stamp_to, c.codes
        FROM emag_offer_states h
        CROSS JOIN LATERAL (SELECT emag_issue_codes(
            h.status, h.general_stock, h.sale_price, h.offer_validation_status, h.validation_status,
            h.translation_validation_status, h.unreadable
        ) OFFSET 0) c (codes)
        WHERE h.account_type = :account AND h.stamp_to IS NOT NULL
          AND h.emag_offer_id = ANY (ARRAY(SELECT emag_offer_id FROM standing))
    ) s
    WINDOW past AS (PARTITION BY s.emag_offer_id ORDER BY s.stamp_from)
),
issues AS MATERIALIZED (
    SELECT emag_offer_id, code,
           max(stamp_from) FILTER (WHERE before_until IS DISTINCT FROM stamp_from OR code <> ALL (codes_before)) AS since
    FROM states
    CROSS JOIN LATERAL unnest(codes) code
    GROUP BY emag_offer_id, code
    HAVING bool_or(is_standing)
),
paced AS (
    SELECT p.emag_offer_id, p.sold / greatest(p.days, 1) AS pace
    FROM newest
    CROSS JOIN LATERAL emag_sales_pace(
        :account, ARRAY(SELECT emag_offer_id FROM issues WHERE code = 'out_of_stock'),
        newest.published_at - :window_days * interval '1 day', newest.published_at
    ) p
)
SELECT o.account_type, o.emag_offer_id, i.code AS issue_code,
       coalesce(CAST(:words AS jsonb) -> told.code ->> 'reason',
                format(CAST(:unknown_reason AS text), split_part(i.code, '_', 1), split_part(i.code, '_', 2))) AS reason,
       coalesce(CAST(:words AS jsonb) -> told.code ->> 'remedy', CAST(:unknown_remedy AS text)) AS remedy,
       emag_refusal_said(i.code, p.validation_details, p.doc_errors, CAST(:language AS text)) AS said,
       began.published_at AS since,
       greatest(o.general_stock, 0) AS stock_held_back,
       greatest(o.general_stock, 0) * o.sale_price AS value_held_back,
       CASE WHEN i.code = 'out_of_stock' THEN round(paced.pace * o.sale_price, 2) END AS sales_lost_a_day,
       o.currency
FROM issues i
JOIN emag_product_offers o
    ON o.account_type = :account AND o.emag_offer_id = i.emag_offer_id AND o.deleted_at IS NULL
LEFT JOIN emag_products p ON p.account_type = :account AND p.emag_offer_id = i.emag_offer_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN i.code = 'stock_unknown' AND p.raw -> 'general_stock' IS NOT NULL
                THEN 'stock_unknown:told' ELSE i.code END
) told (code)
LEFT JOIN paced ON paced.emag_offer_id = i.emag_offer_id
LEFT JOIN emag_publishes began ON began.account_type = :account AND began.stamp = i.since;

-- name: numbers
-- An offer with several issues holds back its stock once. Amounts are added up in the account's currency; offers in
-- another one are counted and named.
WITH offers AS (
    SELECT emag_offer_id, count(*) AS issues, max(currency) AS currency, max(stock_held_back) AS stock,
           max(value_held_back) AS value, max(sales_lost_a_day) AS lost
    FROM emag_offer_issues
    WHERE account_type = :account
    GROUP BY emag_offer_id
)
SELECT coalesce(sum(issues), 0)::bigint AS issues, count(*) AS offers_with_issues,
       coalesce(sum(stock), 0) AS stock_held_back,
       coalesce(sum(value) FILTER (WHERE is_counted), 0) AS value_held_back,
       sum(lost) FILTER (WHERE is_counted) AS sales_lost_a_day,  -- null: of no sold-out offer a pace is known
       max(account_currency) AS currency,
       count(*) FILTER (WHERE NOT is_counted) AS offers_in_other_currencies,
       string_agg(DISTINCT currency, ', ' ORDER BY currency) FILTER (WHERE NOT is_counted) AS other_currencies
FROM offers
-- a sub-select within, and OFFSET 0: asked once, neither for each row nor at each place
CROSS JOIN (SELECT (SELECT emag_account_currency(:account)) OFFSET 0) money (account_currency)
CROSS JOIN LATERAL (SELECT emag_in_currency(currency, account_currency)) counted (is_counted);

-- name: sample
-- Amounts in another currency than the account's cannot be ranked among its own: they come last.
SELECT emag_offer_id, issue_code, reason, said, since, stock_held_back, value_held_back, sales_lost_a_day, currency
FROM emag_offer_issues
-- a sub-select within, and OFFSET 0: asked once, neither for each row nor at each place
CROSS JOIN (SELECT (SELECT emag_account_currency(:account)) OFFSET 0) money (account_currency)
WHERE account_type = :account
ORDER BY emag_in_currency(currency, account_currency) DESC, value_held_back DESC NULLS LAST,
         sales_lost_a_day DESC NULLS LAST, emag_offer_id, issue_code
LIMIT :limit;
