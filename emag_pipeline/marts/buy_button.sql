-- emag_buy_button: each existing offer that has a place in the race for the add-to-cart button, or had the button within
-- the last 24 hours: an offer that sells out, is switched off or refused has no rank any more, and that is the commonest
-- way to lose it.

-- name: touched
-- Offers with a tombstone, or with a state that began since the day before what is shown: the rank of a day ago, and
-- whether they had the button since, change with no others.
SELECT emag_offer_id FROM emag_offer_states
WHERE account_type = :account
  AND stamp_from >= :day_before_stamp
UNION
SELECT emag_offer_id FROM emag_product_offers WHERE account_type = :account AND deleted_at > :shown_at

-- name: fresh
-- What was shown 24 hours before the newest publish was that of the stamp `then`.
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
-- a best price of 0 is none
CROSS JOIN LATERAL (SELECT o.sale_price - nullif(o.best_offer_sale_price, 0)) g (gap)
LEFT JOIN LATERAL (
    SELECT n.stamp_to, n.buy_button_rank FROM emag_offer_states n
    WHERE n.account_type = :account AND n.emag_offer_id = o.emag_offer_id AND n.stamp_from <= span.then
    ORDER BY n.stamp_from DESC LIMIT 1
) b ON b.stamp_to IS NULL OR b.stamp_to > span.then
LEFT JOIN emag_accounts a ON a.account_type = o.account_type
LEFT JOIN emag_vat_rates v ON v.marketplace = a.marketplace AND v.vat_id = o.vat_id
-- what a customer pays has two decimals
CROSS JOIN LATERAL (
    SELECT round(o.sale_price * (1 + v.rate), 2), round(o.best_offer_sale_price * (1 + v.rate), 2)
) vat (sale_price, best_price)
WHERE o.account_type = :account AND o.deleted_at IS NULL AND {o_of_touched}
  AND (o.buy_button_rank IS NOT NULL OR within_the_day.had_it);

-- name: numbers
-- The share is of what is for sale and contested: what nobody else sells has the button without a race, and what cannot be
-- bought has no use of it. What was won or lost is null where nothing is known of the time before.
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
-- What prices with VAT rest on.
(SELECT md5(string_agg(concat_ws(' ', v.vat_id, v.rate), ',' ORDER BY v.vat_id))
 FROM emag_accounts a JOIN emag_vat_rates v USING (marketplace) WHERE a.account_type = :account)
