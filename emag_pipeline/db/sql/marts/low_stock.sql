-- emag_low_stock: each existing offer whose stock lasts :cover_days days at most at the pace of the last :window_days days.

-- name: fresh
-- The stock before a state counts only when that state reached up to it. A state without a stock is compared with
-- nothing, nor is the one after it. Numbers are numeric: the difference of two absurd stocks has no bigint.
WITH span AS (
    SELECT published_at - :window_days * interval '1 day' AS since, published_at AS until FROM newest
),
states AS (
    SELECT h.emag_offer_id, h.general_stock,
           least(coalesce(h.valid_to, span.until), span.until) - greatest(h.valid_from, span.since) AS lasted,
           CASE WHEN lag(h.valid_to) OVER past = h.valid_from
                THEN lag(h.general_stock::numeric) OVER past END - h.general_stock AS fell_by
    FROM span
    JOIN {schema}.emag_offer_history h
        ON h.account_type = :account AND h.valid_from <= span.until AND (h.valid_to IS NULL OR h.valid_to > span.since)
    WINDOW past AS (PARTITION BY h.emag_offer_id ORDER BY h.valid_from)
),
sales AS (
    SELECT emag_offer_id, sum(fell_by) FILTER (WHERE fell_by > 0) AS sold,
           coalesce(extract(epoch FROM sum(lasted) FILTER (WHERE general_stock > 0)) / 86400, 0) AS days
    FROM states
    GROUP BY emag_offer_id
),
paced AS (
    SELECT o.account_type, o.emag_offer_id, o.general_stock, o.sale_price, o.currency, s.sold, s.days,
           s.sold / greatest(s.days, 1) AS pace,
           greatest(o.general_stock, 0) * greatest(s.days, 1) / s.sold AS cover
    FROM {schema}.emag_product_offers o
    JOIN sales s USING (emag_offer_id)
    WHERE o.account_type = :account AND o.deleted_at IS NULL AND o.general_stock IS NOT NULL AND s.sold > 0
)
SELECT p.account_type, p.emag_offer_id, p.general_stock, p.sold, round(p.days, 2) AS observed_days,
       round(p.pace, 4) AS sold_a_day, round(p.cover, 4) AS days_of_cover,
       CASE WHEN p.general_stock > 0
            THEN ((span.until + p.cover * interval '1 day') AT TIME ZONE 'UTC')::date END AS sold_out_on,
       p.sale_price, p.currency
FROM paced p
CROSS JOIN span
WHERE p.cover <= :cover_days;

-- name: numbers
SELECT count(*) AS running_out, count(*) FILTER (WHERE general_stock <= 0) AS sold_out,
       count(*) FILTER (WHERE days_of_cover < 7) AS within_a_week,
       coalesce(sum(sold_a_day * sale_price), 0)::numeric(38,2) AS sales_a_day
FROM {schema}.emag_low_stock
WHERE account_type = :account;

-- name: sample
SELECT emag_offer_id, general_stock, sold, observed_days, sold_a_day, days_of_cover, sold_out_on, sale_price, currency
FROM {schema}.emag_low_stock
WHERE account_type = :account
ORDER BY days_of_cover, sold_a_day DESC, emag_offer_id
LIMIT :limit;
