-- emag_offer_issues: one row for each reason why an existing offer cannot be bought.

-- fragment: money
-- The account's currency. The sub-select with OFFSET 0 is evaluated once, neither per row nor per reference.
(SELECT (SELECT emag_account_currency(:account)) OFFSET 0) money (account_currency)

-- name: touched
-- Offers with a younger state, content or tombstone; and those with lost sales, which change every day. An offer without
-- lost sales gets none without a younger state.
SELECT emag_offer_id FROM emag_offer_states WHERE account_type = :account AND stamp_from > :shown_at
UNION
SELECT emag_offer_id FROM emag_product_offers WHERE account_type = :account AND deleted_at > :shown_at
UNION
SELECT emag_offer_id FROM emag_products WHERE account_type = :account AND changed_at > :shown_at
UNION
SELECT emag_offer_id FROM emag_offer_issues WHERE account_type = :account AND sales_lost_a_day IS NOT NULL

-- name: fresh
-- The codes of a state are computed once (OFFSET 0), those of past states only if the newest one has any. `since` is the
-- start of the newest uninterrupted series of states with the code: a state begins one if the state before it did not have
-- the code, or ended earlier (the offer was deleted in between).
-- :words are the reasons and remedies by code, `stock_unknown:reported` those for a total stock that is reported but is not a
-- number (only `raw` has it). :unknown_reason and :unknown_remedy are those of all other codes.
-- :language (two letters) is the preferred one for quotations of the marketplace.
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
       coalesce(CAST(:words AS jsonb) -> worded.code ->> 'reason',
                format(CAST(:unknown_reason AS text), split_part(i.code, '_', 1), split_part(i.code, '_', 2))) AS reason,
       coalesce(CAST(:words AS jsonb) -> worded.code ->> 'remedy', CAST(:unknown_remedy AS text)) AS remedy,
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
                THEN 'stock_unknown:reported' ELSE i.code END
) worded (code)
LEFT JOIN paced ON paced.emag_offer_id = i.emag_offer_id
LEFT JOIN emag_publishes began ON began.account_type = :account AND began.stamp = i.since;

-- name: numbers
-- The stock held back by an offer with several issues counts once. Amounts are summed in the account's currency; offers in
-- other currencies are counted separately.
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
       sum(lost) FILTER (WHERE is_counted) AS sales_lost_a_day,  -- null: no sold-out offer has a known pace
       max(account_currency) AS currency,
       count(*) FILTER (WHERE NOT is_counted) AS offers_in_other_currencies,
       string_agg(DISTINCT currency, ', ' ORDER BY currency) FILTER (WHERE NOT is_counted) AS other_currencies
FROM offers
CROSS JOIN {money}
CROSS JOIN LATERAL (SELECT emag_in_currency(currency, account_currency)) counted (is_counted);

-- name: sample
-- Amounts in another currency than the account's cannot be compared with its own and come last.
SELECT emag_offer_id, issue_code, reason, said, since, stock_held_back, value_held_back, sales_lost_a_day, currency
FROM emag_offer_issues
CROSS JOIN {money}
WHERE account_type = :account
ORDER BY emag_in_currency(currency, account_currency) DESC, value_held_back DESC NULLS LAST,
         sales_lost_a_day DESC NULLS LAST, emag_offer_id, issue_code
LIMIT :limit;

-- name: differences
SELECT emag_offer_id,
       CASE WHEN o.emag_offer_id IS NULL THEN 'has issues, but there is no such offer'
            WHEN i.emag_offer_id IS NULL THEN 'is not saleable, but has no issue'
            ELSE 'has issues, but is saleable' END AS what,
       o.is_saleable, i.issues
FROM existing o
FULL JOIN (
    SELECT emag_offer_id, string_agg(issue_code, ', ' ORDER BY issue_code) AS issues
    FROM emag_offer_issues WHERE account_type = :account GROUP BY emag_offer_id
) i USING (emag_offer_id)
WHERE o.emag_offer_id IS NULL OR (i.emag_offer_id IS NULL) <> o.is_saleable
UNION ALL
SELECT emag_offer_id, 'holds back another stock or value than the offer has', o.is_saleable, i.issue_code
FROM existing o
JOIN emag_offer_issues i USING (account_type, emag_offer_id)
WHERE (i.stock_held_back, i.value_held_back, i.currency) IS DISTINCT FROM
      (greatest(o.general_stock, 0), greatest(o.general_stock, 0) * o.sale_price, o.currency);

-- name: totals
SELECT (SELECT count(*) FROM existing) AS existing_offers,
       (SELECT count(*) FROM existing WHERE is_saleable) AS saleable_offers,
       (SELECT count(DISTINCT emag_offer_id) FROM emag_offer_issues WHERE account_type = :account)
           AS offers_with_issues;

-- name: counts
-- Offers by reason. Sums are of offers in the account's currency.
SELECT issue_code AS code, reason, remedy, count(*) AS offers,
       coalesce(sum(stock_held_back), 0) AS stock_held_back,
       coalesce(sum(value_held_back) FILTER (WHERE is_counted), 0) AS value_held_back,
       sum(sales_lost_a_day) FILTER (WHERE is_counted) AS sales_lost_a_day,
       count(*) FILTER (WHERE NOT is_counted) AS offers_in_other_currencies
FROM emag_offer_issues
CROSS JOIN {money}
CROSS JOIN LATERAL (SELECT emag_in_currency(currency, account_currency)) c (is_counted)
WHERE account_type = :account
GROUP BY issue_code, reason, remedy ORDER BY count(*) DESC, issue_code, reason;

-- name: held_back
-- The offers that hold back most, with all their reasons. Amounts in another currency come last, because they cannot be
-- compared with the account's own.
SELECT i.emag_offer_id, p.name, i.reasons, i.remedies, i.sinces, i.said, i.stock_held_back, i.value_held_back, i.currency
FROM (
    SELECT account_type, emag_offer_id, array_agg(reason ORDER BY issue_code) AS reasons,
           array_agg(remedy ORDER BY issue_code) AS remedies,
           array_agg(since ORDER BY issue_code) AS sinces,
           array_remove(array_agg(DISTINCT said), NULL) AS said,
           coalesce(max(stock_held_back), 0) AS stock_held_back,
           max(value_held_back) AS value_held_back, max(currency) AS currency,
           emag_in_currency(max(currency), max(account_currency)) AS is_ranked
    FROM emag_offer_issues
    CROSS JOIN {money}
    WHERE account_type = :account
    GROUP BY account_type, emag_offer_id
    ORDER BY is_ranked DESC, value_held_back DESC NULLS LAST, stock_held_back DESC, emag_offer_id
    LIMIT :limit
) i
LEFT JOIN emag_products p USING (account_type, emag_offer_id)
ORDER BY i.is_ranked DESC, i.value_held_back DESC NULLS LAST, i.stock_held_back DESC, i.emag_offer_id;

-- name: count_held_back
SELECT count(DISTINCT emag_offer_id) FROM emag_offer_issues WHERE account_type = :account;

-- name: sold_out_states
-- What sold-out offers sold while they had stock, and how well that is supported: all falls of the stock within the mart's
-- days, also those taken for corrections. A fall counts only if the previous state lasted until this one began, as for the
-- pace. A single fall of more than 10 pieces that does not fit the others is a correction (`emag_sales_pace`). If it is the
-- only fall, it counts as a sale, and is marked as doubtful here.
WITH shown AS (
    SELECT published_at AS until FROM emag_mart_refreshes
    WHERE account_type = :account AND mart = 'offer_issues'
), lost AS MATERIALIZED (
    SELECT i.emag_offer_id, i.since, i.sales_lost_a_day, i.currency,
           emag_in_currency(i.currency, account_currency) AS is_counted
    FROM emag_offer_issues i
    CROSS JOIN {money}
    WHERE i.account_type = :account AND i.issue_code = 'out_of_stock' AND i.sales_lost_a_day IS NOT NULL
), states AS (
    SELECT h.emag_offer_id,
           CASE WHEN lag(h.valid_to) OVER past = h.valid_from THEN lag(there.stock) OVER past END
               - there.stock AS fell
    FROM emag_offer_history h
    CROSS JOIN LATERAL (
        SELECT CASE WHEN h.general_stock < 0 THEN 0 ELSE h.general_stock::numeric END
    ) there (stock)
    WHERE h.account_type = :account AND h.emag_offer_id = ANY (ARRAY(SELECT emag_offer_id FROM lost))
      AND h.valid_from <= (SELECT until FROM shown)
      AND (h.valid_to IS NULL OR h.valid_to > (SELECT until FROM shown) - :window_days * interval '1 day')
    WINDOW past AS (PARTITION BY h.emag_offer_id ORDER BY h.valid_from)
), falling AS (
    SELECT emag_offer_id, count(*) AS falls, max(fell) AS greatest_fall
    FROM states WHERE fell > 0 GROUP BY emag_offer_id
)
SELECT l.*, coalesce(f.falls, 0) AS falls, coalesce(f.greatest_fall, 0) AS greatest_fall,
       coalesce(f.falls = 1 AND f.greatest_fall > 10, false) AS is_doubtful
FROM lost l LEFT JOIN falling f USING (emag_offer_id);

-- name: lost_sales
SELECT count(*) AS offers, coalesce(sum(falls), 0) AS falls, coalesce(sum(sales_lost_a_day), 0) AS a_day,
       count(*) FILTER (WHERE is_doubtful) AS doubtful,
       coalesce(sum(sales_lost_a_day) FILTER (WHERE is_doubtful), 0) AS doubtful_a_day
FROM ({sold_out_states}) s
WHERE is_counted;

-- name: sold_out
-- Those that lose most sales first; doubtful ones follow. Amounts in another currency come last, because they cannot be
-- compared with the account's own.
SELECT s.emag_offer_id, p.name, s.since, s.sales_lost_a_day, s.currency, s.falls, s.greatest_fall, s.is_doubtful
FROM ({sold_out_states}) s
LEFT JOIN emag_products p ON p.account_type = :account AND p.emag_offer_id = s.emag_offer_id
ORDER BY s.is_counted DESC, s.is_doubtful, s.sales_lost_a_day DESC, s.emag_offer_id
LIMIT :limit;
