-- emag_low_stock: each existing offer whose stock lasts at most :cover_days days at the pace of the last :window_days days.

-- name: touched
-- Offers with a younger state or a tombstone; listed ones, whose days of cover change every day; and those for which a
-- change of the stock is no longer within the pace's days, so that a correction may now count as a sale. The stock of all
-- others lasts at least as long as before.
SELECT emag_offer_id FROM emag_offer_states WHERE account_type = :account AND stamp_from > :shown_at
UNION
SELECT emag_offer_id FROM emag_product_offers WHERE account_type = :account AND deleted_at > :shown_at
UNION
SELECT emag_offer_id FROM emag_low_stock WHERE account_type = :account
UNION
SELECT h.emag_offer_id
FROM newest
JOIN emag_publishes p ON p.account_type = :account
    AND p.published_at > :shown_at - :window_days * interval '1 day'
    AND p.published_at <= newest.published_at - :window_days * interval '1 day'
JOIN emag_offer_states h ON h.account_type = p.account_type AND h.stamp_from = p.stamp

-- name: fresh
WITH span AS (
    SELECT published_at - :window_days * interval '1 day' AS since, published_at AS until FROM newest
),
paced AS (
    SELECT o.account_type, o.emag_offer_id, o.general_stock, o.sale_price, o.currency, o.is_saleable,
           s.sold, s.days, s.has_jumps, s.sold / greatest(s.days, 1) AS pace,
           greatest(o.general_stock, 0) * greatest(s.days, 1) / s.sold AS cover
    FROM span
    CROSS JOIN LATERAL emag_sales_pace(:account, ARRAY(
        SELECT emag_offer_id FROM emag_product_offers o
        WHERE account_type = :account AND deleted_at IS NULL AND general_stock IS NOT NULL AND {o_of_touched}
    ), span.since, span.until) s
    JOIN emag_product_offers o ON o.account_type = :account AND o.emag_offer_id = s.emag_offer_id
)
SELECT p.account_type, p.emag_offer_id, p.general_stock, p.sold, round(p.days, 2) AS observed_days,
       round(p.pace, 4) AS sold_a_day, round(p.cover, 4) AS days_of_cover,
       CASE WHEN p.general_stock > 0
            THEN ((span.until + p.cover * interval '1 day') AT TIME ZONE 'UTC')::date END AS sold_out_on,
       p.sale_price, p.currency, p.is_saleable, p.has_jumps
FROM paced p
CROSS JOIN span
WHERE p.cover <= :cover_days;

-- name: numbers
-- Sales are summed in the account's currency; offers in other currencies are counted separately.
SELECT count(*) AS running_out, count(*) FILTER (WHERE general_stock <= 0) AS sold_out,
       count(*) FILTER (WHERE general_stock > 0 AND days_of_cover < 7) AS within_a_week,
       count(*) FILTER (WHERE general_stock > 0 AND NOT is_saleable) AS in_stock_but_not_saleable,
       count(*) FILTER (WHERE has_jumps) AS with_jumps,
       coalesce(sum(sold_a_day * sale_price) FILTER (WHERE is_counted), 0)::numeric(38,2) AS sales_a_day,
       max(account_currency) AS currency,
       count(*) FILTER (WHERE NOT is_counted) AS offers_in_other_currencies,
       string_agg(DISTINCT currency, ', ' ORDER BY currency) FILTER (WHERE NOT is_counted) AS other_currencies
FROM emag_low_stock
-- the sub-select with OFFSET 0 is evaluated once, neither per row nor per reference
CROSS JOIN (SELECT (SELECT emag_account_currency(:account)) OFFSET 0) money (account_currency)
CROSS JOIN LATERAL (SELECT emag_in_currency(currency, account_currency)) counted (is_counted)
WHERE account_type = :account;

-- name: sample
SELECT emag_offer_id, general_stock, is_saleable, sold, observed_days, sold_a_day, days_of_cover, sold_out_on, has_jumps,
       sale_price, currency
FROM emag_low_stock
WHERE account_type = :account
ORDER BY days_of_cover, sold_a_day DESC, emag_offer_id
LIMIT :limit;

-- name: differences
-- The pace is not checked here; but an offer that is sold out, and whose last change was a fall, must be listed.
SELECT emag_offer_id,
       CASE WHEN o.emag_offer_id IS NULL THEN 'is listed, but there is no such offer'
            ELSE 'is listed with another stock, price or verdict than the offer has' END AS what,
       o.general_stock AS stock_of_offer, l.general_stock AS stock_listed
FROM existing o
RIGHT JOIN (SELECT * FROM emag_low_stock WHERE account_type = :account) l USING (emag_offer_id)
WHERE o.emag_offer_id IS NULL
   OR (o.general_stock, o.sale_price, o.currency, o.is_saleable)
      IS DISTINCT FROM (l.general_stock, l.sale_price, l.currency, l.is_saleable)
UNION ALL
-- From the states themselves: the planner knows how many of them are current, but not for the history.
SELECT o.emag_offer_id, 'has sold out within the pace''s days, but is not listed', o.general_stock, NULL
FROM existing o
JOIN emag_offer_states h
    ON h.account_type = :account AND h.emag_offer_id = o.emag_offer_id AND h.stamp_to IS NULL
JOIN emag_offer_states b
    ON b.account_type = :account AND b.emag_offer_id = o.emag_offer_id AND b.stamp_to = h.stamp_from
CROSS JOIN newest
WHERE o.general_stock <= 0 AND b.general_stock > 0  -- a negative stock counts as 0, so 0 to negative is not a fall
  AND h.stamp_from > newest.published_at - :window_days * interval '1 day'
  AND NOT EXISTS (SELECT FROM emag_low_stock l
                  WHERE l.account_type = :account AND l.emag_offer_id = o.emag_offer_id);

-- name: totals
SELECT (SELECT count(*) FROM existing) AS existing_offers,
       (SELECT count(*) FROM emag_low_stock WHERE account_type = :account) AS listed;

-- name: bands
-- Offers by the number of :bounds (days of cover) that they have reached; sold-out ones are in band -1.
SELECT CASE WHEN general_stock > 0
            THEN width_bucket(days_of_cover, CAST(:bounds AS numeric[])) ELSE -1 END AS band,
       count(*) AS offers, count(*) FILTER (WHERE general_stock > 0 AND NOT is_saleable) AS not_saleable
FROM emag_low_stock
WHERE account_type = :account
GROUP BY 1;

-- name: least_cover
SELECT l.emag_offer_id, p.name, l.general_stock, l.sold_a_day, l.days_of_cover, l.observed_days, l.sold_out_on,
       l.is_saleable, l.has_jumps
FROM emag_low_stock l
LEFT JOIN emag_products p USING (account_type, emag_offer_id)
WHERE l.account_type = :account AND l.general_stock > 0
ORDER BY l.days_of_cover, l.emag_offer_id
LIMIT :limit;
