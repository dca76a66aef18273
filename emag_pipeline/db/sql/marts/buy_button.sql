-- emag_buy_button: each existing offer that has a place in the race for the add-to-cart button.

-- name: fresh
WITH a_day_ago AS (
    SELECT h.emag_offer_id, h.buy_button_rank
    FROM newest
    CROSS JOIN LATERAL {schema}.emag_offers_as_of(:account, newest.published_at - interval '24 hours') h
)
SELECT o.account_type, o.emag_offer_id, o.buy_button_rank, o.buy_button_rank = 1 AS has_buy_button,
       b.buy_button_rank AS rank_a_day_ago,
       CASE WHEN b.buy_button_rank IS NULL THEN 'new'
            WHEN o.buy_button_rank = 1 THEN CASE WHEN b.buy_button_rank = 1 THEN 'kept' ELSE 'won' END
            WHEN b.buy_button_rank = 1 THEN 'lost'
            ELSE 'missed' END AS change,
       o.number_of_offers, o.sale_price, o.best_offer_sale_price, o.currency, v.rate AS vat_rate,
       round(o.sale_price * (1 + v.rate), 4) AS sale_price_with_vat,
       round(o.best_offer_sale_price * (1 + v.rate), 4) AS best_price_with_vat,
       g.gap, round(100 * g.gap / nullif(o.best_offer_sale_price, 0), 4) AS gap_percent,
       round(g.gap * (1 + v.rate), 4) AS gap_with_vat,
       o.is_saleable
FROM {schema}.emag_product_offers o
CROSS JOIN LATERAL (SELECT o.sale_price - o.best_offer_sale_price) g (gap)
LEFT JOIN a_day_ago b USING (emag_offer_id)
LEFT JOIN {schema}.emag_accounts a ON a.account_type = o.account_type
LEFT JOIN {schema}.emag_vat_rates v ON v.marketplace = a.marketplace AND v.vat_id = o.vat_id
WHERE o.account_type = :account AND o.deleted_at IS NULL AND o.buy_button_rank IS NOT NULL;

-- name: numbers
SELECT count(*) AS offers_with_rank,
       count(*) FILTER (WHERE has_buy_button) AS with_buy_button,
       round(count(*) FILTER (WHERE has_buy_button) / nullif(count(*), 0)::numeric, 4) AS buy_button_share,
       count(*) FILTER (WHERE change = 'won') AS won,
       count(*) FILTER (WHERE change = 'lost') AS lost,
       count(*) FILTER (WHERE NOT has_buy_button AND gap > 0) AS beaten_on_price,
       count(*) FILTER (WHERE vat_rate IS NULL) AS without_vat_rate
FROM {schema}.emag_buy_button
WHERE account_type = :account;

-- name: sample
SELECT emag_offer_id, buy_button_rank, rank_a_day_ago, change, number_of_offers, sale_price, best_offer_sale_price,
       gap, gap_percent, gap_with_vat, currency
FROM {schema}.emag_buy_button
WHERE account_type = :account AND NOT has_buy_button
ORDER BY gap DESC NULLS LAST, emag_offer_id
LIMIT :limit;
