-- emag_buy_button: each existing offer that has a buy button rank, or had the button within the last 24 hours: an offer that
-- sells out, is deactivated or refused has no rank any more, and that is the most frequent way to lose the button.

-- name: touched
-- Offers with a tombstone, or with a state that began later than one day before the shown publish: only for these can the
-- rank of a day ago, and whether they had the button since, have changed.
SELECT emag_offer_id FROM emag_offer_states
WHERE account_type = :account
  AND stamp_from >= :day_before_stamp
UNION
SELECT emag_offer_id FROM emag_product_offers WHERE account_type = :account AND deleted_at > :shown_at

-- name: fresh
-- `then` is the stamp of the publish that was current 24 hours before the newest one.
WITH span AS (
    SELECT coalesce((SELECT p.stamp FROM emag_publishes p
                     WHERE p.account_type = :account AND p.published_at <= newest.published_at - interval '24 hours'
                     ORDER BY p.published_at DESC LIMIT 1), '-infinity') AS then
    FROM newest
)
SELECT o.account_type, o.emag_offer_id, o.buy_button_rank, coalesce(o.buy_button_rank = 1, false) AS has_buy_button,
       b.buy_button_rank AS rank_a_day_ago,
       CASE WHEN o.buy_button_rank = 1
            THEN CASE WHEN b.buy_button_rank IS NULL THEN 'new' WHEN b.buy_button_rank = 1 THEN 'kept' ELSE 'won' END
            WHEN within_the_day.had_it THEN 'lost'
            WHEN b.buy_button_rank IS NULL THEN 'new'
            ELSE 'missed' END AS change,
       o.number_of_offers, o.sale_price, o.best_offer_sale_price, o.currency, v.rate AS vat_rate,
       vat.sale_price AS sale_price_with_vat, vat.best_price AS best_price_with_vat,
       g.gap, round(100 * g.gap / o.best_offer_sale_price, 4) AS gap_percent,
       CASE WHEN g.gap IS NOT NULL THEN vat.sale_price - vat.best_price END AS gap_with_vat,
       o.is_saleable
FROM emag_product_offers o
CROSS JOIN span
CROSS JOIN LATERAL (SELECT EXISTS (
    SELECT FROM emag_offer_states h
    WHERE h.account_type = :account AND h.emag_offer_id = o.emag_offer_id AND h.buy_button_rank = 1
      AND (h.stamp_to IS NULL OR h.stamp_to > span.then)
)) within_the_day (had_it)
-- a best price of 0 means none
CROSS JOIN LATERAL (SELECT o.sale_price - nullif(o.best_offer_sale_price, 0)) g (gap)
LEFT JOIN LATERAL (
    SELECT n.stamp_to, n.buy_button_rank FROM emag_offer_states n
    WHERE n.account_type = :account AND n.emag_offer_id = o.emag_offer_id AND n.stamp_from <= span.then
    ORDER BY n.stamp_from DESC LIMIT 1
) b ON b.stamp_to IS NULL OR b.stamp_to > span.then
LEFT JOIN emag_accounts a ON a.account_type = o.account_type
LEFT JOIN emag_vat_rates v ON v.marketplace = a.marketplace AND v.vat_id = o.vat_id
-- prices that customers pay have two decimals
CROSS JOIN LATERAL (
    SELECT round(o.sale_price * (1 + v.rate), 2), round(o.best_offer_sale_price * (1 + v.rate), 2)
) vat (sale_price, best_price)
WHERE o.account_type = :account AND o.deleted_at IS NULL AND {o_of_touched}
  AND (o.buy_button_rank IS NOT NULL OR within_the_day.had_it);

-- name: numbers
-- The share is that of saleable, contested offers: an offer without competitors always has the button, and one that is not
-- saleable cannot use it. Won and lost are null if nothing is known of the time before.
SELECT count(buy_button_rank) AS offers_with_rank,
       count(*) FILTER (WHERE has_buy_button) AS with_buy_button,
       count(*) FILTER (WHERE is_saleable AND number_of_offers > 1) AS contested,
       count(*) FILTER (WHERE has_buy_button AND is_saleable AND number_of_offers > 1) AS contested_held,
       round(count(*) FILTER (WHERE has_buy_button AND is_saleable AND number_of_offers > 1)
             / nullif(count(*) FILTER (WHERE is_saleable AND number_of_offers > 1), 0)::numeric, 4) AS buy_button_share,
       CASE WHEN max(past.first) <= max(past.newest) - interval '1 day'
            THEN count(*) FILTER (WHERE change = 'won') END AS won,
       CASE WHEN max(past.first) < max(past.newest) THEN count(*) FILTER (WHERE change = 'lost') END AS lost,
       count(*) FILTER (WHERE NOT has_buy_button AND gap > 0) AS beaten_on_price,
       count(*) FILTER (WHERE emag_offer_id IS NOT NULL AND vat_rate IS NULL) AS without_vat_rate
FROM (SELECT min(published_at) AS first, max(published_at) AS newest
      FROM emag_publishes WHERE account_type = :account) past
LEFT JOIN emag_buy_button b ON b.account_type = :account;

-- name: sample
SELECT emag_offer_id, buy_button_rank, rank_a_day_ago, change, number_of_offers, sale_price, best_offer_sale_price,
       gap, gap_percent, gap_with_vat, currency
FROM emag_buy_button
WHERE account_type = :account AND NOT has_buy_button
ORDER BY gap DESC NULLS LAST, emag_offer_id
LIMIT :limit;

-- name: rates
-- A fingerprint of the VAT rates that prices with VAT depend on.
(SELECT md5(string_agg(concat_ws(' ', v.vat_id, v.rate), ',' ORDER BY v.vat_id))
 FROM emag_accounts a JOIN emag_vat_rates v USING (marketplace) WHERE a.account_type = :account);

-- name: differences
SELECT emag_offer_id,
       CASE WHEN o.emag_offer_id IS NULL THEN 'is listed, but there is no such offer'
            WHEN b.emag_offer_id IS NULL THEN 'has a rank, but is not listed'
            WHEN o.buy_button_rank IS NULL AND b.buy_button_rank IS NULL AND b.change <> 'lost'
            THEN 'is listed without a rank, and has not lost the button'
            ELSE 'is listed with another rank or price than the offer has' END AS what,
       o.buy_button_rank AS rank_of_offer, b.buy_button_rank AS rank_listed,
       o.sale_price AS price_of_offer, b.sale_price AS price_listed
FROM existing o
FULL JOIN (SELECT * FROM emag_buy_button WHERE account_type = :account) b USING (emag_offer_id)
WHERE o.emag_offer_id IS NULL OR (b.emag_offer_id IS NULL AND o.buy_button_rank IS NOT NULL)
   OR (b.emag_offer_id IS NOT NULL AND b.buy_button_rank IS NULL AND b.change <> 'lost')
   OR (b.emag_offer_id IS NOT NULL AND (o.buy_button_rank, o.sale_price, o.best_offer_sale_price, o.currency)
      IS DISTINCT FROM (b.buy_button_rank, b.sale_price, b.best_offer_sale_price, b.currency))
   OR b.gap IS DISTINCT FROM b.sale_price - nullif(b.best_offer_sale_price, 0);

-- name: totals
SELECT (SELECT count(*) FROM existing WHERE buy_button_rank IS NOT NULL) AS offers_with_rank,
       (SELECT count(*) FROM existing WHERE buy_button_rank = 1) AS offers_of_rank_1,
       (SELECT count(*) FROM emag_buy_button WHERE account_type = :account) AS listed,
       (SELECT count(*) FROM emag_buy_button WHERE account_type = :account AND has_buy_button)
           AS listed_with_button;

-- name: ranked
-- Offers that meet {condition}, those with the largest {most} first. Prices in another currency come last, because they
-- cannot be compared with the account's own. Ranked before names are read, which are wide and needed for a few rows only.
SELECT b.emag_offer_id, p.name, b.currency, b.buy_button_rank, b.rank_a_day_ago, b.number_of_offers, b.sale_price,
       b.best_offer_sale_price, b.gap, b.gap_percent, b.gap_with_vat
FROM (
    SELECT b.*, row_number() OVER (
               ORDER BY emag_in_currency(b.currency, account_currency) DESC, {most} DESC NULLS LAST,
                        b.emag_offer_id) AS place
    FROM emag_buy_button b
    -- the sub-select with OFFSET 0 is evaluated once, neither per row nor per reference
    CROSS JOIN (SELECT (SELECT emag_account_currency(:account)) OFFSET 0) money (account_currency)
    WHERE b.account_type = :account AND {condition}
    ORDER BY place LIMIT :limit
) b
LEFT JOIN emag_products p USING (account_type, emag_offer_id)
ORDER BY b.place;
