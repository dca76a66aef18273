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
),
paced AS (
    SELECT p.emag_offer_id, p.sold / greatest(p.days, 1) AS pace
    FROM newest
    CROSS JOIN LATERAL {schema}.emag_sales_pace(
        :account, ARRAY(SELECT emag_offer_id FROM standing WHERE code = 'out_of_stock'),
        newest.published_at - :window_days * interval '1 day', newest.published_at
    ) p
)
SELECT s.account_type, s.emag_offer_id, s.code AS issue_code,
       coalesce(CAST(:words AS jsonb) -> s.code ->> 'reason',
                format(CAST(:unknown_reason AS text), split_part(s.code, '_', 1), split_part(s.code, '_', 2))) AS reason,
       coalesce(CAST(:words AS jsonb) -> s.code ->> 'remedy', CAST(:unknown_remedy AS text)) AS remedy,
       {schema}.emag_refusal_said(s.code, p.validation_details, p.doc_errors, CAST(:language AS text)) AS said,
       begun.since,
       greatest(s.general_stock, 0) AS stock_held_back,
       greatest(s.general_stock, 0) * s.sale_price AS value_held_back,
       CASE WHEN s.code = 'out_of_stock' THEN round(paced.pace * s.sale_price, 2) END AS sales_lost_a_day,
       s.currency
FROM standing s
LEFT JOIN begun USING (emag_offer_id, code)
LEFT JOIN paced USING (emag_offer_id)
LEFT JOIN {schema}.emag_products p USING (account_type, emag_offer_id);

-- name: numbers
-- An offer with several issues holds back its stock once. Amounts are added up in the account's currency; offers in
-- another one are counted and named.
WITH offers AS (
    SELECT emag_offer_id, count(*) AS issues, max(currency) AS currency, max(stock_held_back) AS stock,
           max(value_held_back) AS value, max(sales_lost_a_day) AS lost
    FROM {schema}.emag_offer_issues
    WHERE account_type = :account
    GROUP BY emag_offer_id
)
SELECT coalesce(sum(issues), 0)::bigint AS issues, count(*) AS offers_with_issues,
       coalesce(sum(stock), 0) AS stock_held_back,
       coalesce(sum(value) FILTER (WHERE is_counted), 0) AS value_held_back,
       coalesce(sum(lost) FILTER (WHERE is_counted), 0) AS sales_lost_a_day,
       max(account_currency) AS currency,
       count(*) FILTER (WHERE NOT is_counted) AS offers_in_other_currencies,
       string_agg(DISTINCT currency, ', ' ORDER BY currency) FILTER (WHERE NOT is_counted) AS other_currencies
FROM offers
-- OFFSET 0: asked once, not for each row
CROSS JOIN (SELECT {schema}.emag_account_currency(:account) OFFSET 0) money (account_currency)
CROSS JOIN LATERAL (SELECT {schema}.emag_in_currency(currency, account_currency)) counted (is_counted);

-- name: sample
-- Amounts in another currency than the account's cannot be ranked among its own: they come last.
SELECT emag_offer_id, issue_code, reason, said, since, stock_held_back, value_held_back, sales_lost_a_day, currency
FROM {schema}.emag_offer_issues
-- OFFSET 0: asked once, not for each row
CROSS JOIN (SELECT {schema}.emag_account_currency(:account) OFFSET 0) money (account_currency)
WHERE account_type = :account
ORDER BY {schema}.emag_in_currency(currency, account_currency) DESC, value_held_back DESC NULLS LAST,
         sales_lost_a_day DESC NULLS LAST, emag_offer_id, issue_code
LIMIT :limit;
