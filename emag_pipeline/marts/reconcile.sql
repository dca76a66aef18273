-- Do the marts agree with the published offers? Each `…_differences` gives one row for each thing that does not, counted by
-- other means than the mart's own; `…_numbers` the totals; `…_shown` which publish the mart shows.

-- name: reconcile
-- One statement, so one snapshot: a publish beside it can make a mart older, but not make it look wrong.
WITH newest AS (
    SELECT sync_id, completed_at AS published_at
    FROM emag_offer_syncs
    WHERE account_type = :account AND status = 'completed'
    ORDER BY completed_at DESC
    LIMIT 1
),
existing AS (
    SELECT * FROM emag_product_offers WHERE account_type = :account AND deleted_at IS NULL
),
shown AS ({shown}),
differences AS MATERIALIZED ({differences})
SELECT newest.published_at AS newest_at, shown.shown_at, shown.is_current,
       (SELECT count(*) FROM differences) AS found,
       (SELECT coalesce(jsonb_agg(to_jsonb(d)), '[]') FROM (SELECT * FROM differences ORDER BY 1, 2 LIMIT :most) d) AS sample,
       (SELECT to_jsonb(n) FROM ({numbers}) n) AS numbers
FROM newest
CROSS JOIN shown;

-- name: mart_shown
SELECT r.published_at AS shown_at, coalesce(r.sync_id = n.sync_id, false) AS is_current
FROM newest n
LEFT JOIN emag_mart_refreshes r ON r.account_type = :account AND r.mart = :mart;

-- name: offer_issues_differences
SELECT emag_offer_id,
       CASE WHEN o.emag_offer_id IS NULL THEN 'has issues, but there is no such offer'
            WHEN i.emag_offer_id IS NULL THEN 'cannot be bought, but has no issue'
            ELSE 'has issues, but can be bought' END AS what,
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

-- name: offer_issues_numbers
SELECT (SELECT count(*) FROM existing) AS existing_offers,
       (SELECT count(*) FROM existing WHERE is_saleable) AS saleable_offers,
       (SELECT count(DISTINCT emag_offer_id) FROM emag_offer_issues WHERE account_type = :account)
           AS offers_with_issues;

-- name: buy_button_differences
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

-- name: buy_button_numbers
SELECT (SELECT count(*) FROM existing WHERE buy_button_rank IS NOT NULL) AS offers_with_rank,
       (SELECT count(*) FROM existing WHERE buy_button_rank = 1) AS offers_of_rank_1,
       (SELECT count(*) FROM emag_buy_button WHERE account_type = :account) AS listed,
       (SELECT count(*) FROM emag_buy_button WHERE account_type = :account AND has_buy_button)
           AS listed_with_button;

-- name: low_stock_differences
-- Whether the pace is right is not asked here; but an offer that is sold out, and whose last change was a fall, must be
-- listed.
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
-- Of the states themselves: how many of them are current the planner knows there, and not of the history.
SELECT o.emag_offer_id, 'has sold out within the pace''s days, but is not listed', o.general_stock, NULL
FROM existing o
JOIN emag_offer_states h
    ON h.account_type = :account AND h.emag_offer_id = o.emag_offer_id AND h.stamp_to IS NULL
JOIN emag_offer_states b
    ON b.account_type = :account AND b.emag_offer_id = o.emag_offer_id AND b.stamp_to = h.stamp_from
CROSS JOIN newest
WHERE o.general_stock <= 0 AND b.general_stock > 0  -- a stock below 0 is none, so nothing falls to it from 0
  AND h.stamp_from > newest.published_at - :window_days * interval '1 day'
  AND NOT EXISTS (SELECT FROM emag_low_stock l
                  WHERE l.account_type = :account AND l.emag_offer_id = o.emag_offer_id);

-- name: low_stock_numbers
SELECT (SELECT count(*) FROM existing) AS existing_offers,
       (SELECT count(*) FROM emag_low_stock WHERE account_type = :account) AS listed;

-- name: daily_assortment_shown
SELECT r.as_of AS shown_at,
       r.as_of IS NULL OR r.as_of >= n.published_at
           OR r.as_of = (CAST(:day AS date) + 1)::timestamp AT TIME ZONE 'UTC' - interval '1 microsecond' AS is_current
FROM newest n
LEFT JOIN emag_daily_assortment r ON r.account_type = :account AND r.day = CAST(:day AS date);

-- name: daily_assortment_differences
-- A row that shows the newest publish is compared with the offers; every row with that of the day before, if it is there.
WITH told AS (
    SELECT * FROM emag_daily_assortment WHERE account_type = :account AND day = CAST(:day AS date)
),
expected AS (
    SELECT 'offers' AS figure, told.offers::numeric AS in_the_row, (SELECT count(*) FROM existing)::numeric AS in_offers
    FROM told CROSS JOIN newest WHERE told.as_of >= newest.published_at
    UNION ALL
    SELECT 'saleable_offers', told.saleable_offers, (SELECT count(*) FROM existing WHERE is_saleable)
    FROM told CROSS JOIN newest WHERE told.as_of >= newest.published_at
    UNION ALL
    SELECT 'stock', told.stock, (SELECT coalesce(sum(greatest(general_stock, 0)), 0) FROM existing)
    FROM told CROSS JOIN newest WHERE told.as_of >= newest.published_at
    UNION ALL
    SELECT 'offers of the day before + arrivals - departures', told.offers, b.offers + told.arrivals - told.departures
    FROM told
    JOIN emag_daily_assortment b ON b.account_type = told.account_type AND b.day = told.day - 1
    WHERE b.as_of = told.day::timestamp AT TIME ZONE 'UTC' - interval '1 microsecond'
    UNION ALL
    -- what was pruned since is not missed
    SELECT 'publishes', told.publishes, greatest(told.publishes, ledger.publishes)
    FROM told
    CROSS JOIN LATERAL (
        SELECT count(*) AS publishes FROM emag_offer_syncs
        WHERE account_type = :account AND status = 'completed'
          AND completed_at >= told.day::timestamp AT TIME ZONE 'UTC' AND completed_at <= told.as_of
    ) ledger
    WHERE told.publishes IS NOT NULL
    UNION ALL
    SELECT 'carried forward (1) or published on the day (0)', told.is_carried_forward::integer,
           (told.last_published_at < told.day::timestamp AT TIME ZONE 'UTC')::integer
    FROM told
    WHERE told.last_published_at IS NOT NULL
    UNION ALL
    SELECT 'rows of the day', (SELECT count(*) FROM told), (
        CAST(:day AS date) BETWEEN least(
            (SELECT min(valid_from) FROM emag_offer_history WHERE account_type = :account),
            (SELECT min(completed_at) FROM emag_offer_syncs
             WHERE account_type = :account AND status = 'completed')
        )::date AND clock_timestamp()::date)::integer
)
SELECT figure, in_the_row, in_offers FROM expected WHERE in_the_row IS DISTINCT FROM in_offers;

-- name: daily_assortment_numbers
SELECT (SELECT count(*) FROM existing) AS existing_offers,
       (SELECT count(*) FROM existing WHERE is_saleable) AS saleable_offers,
       f.offers AS offers_in_figures, f.saleable AS saleable_in_figures,
       r.offers AS offers_of_the_day, r.saleable_offers AS saleable_of_the_day
FROM newest
LEFT JOIN emag_account_figures f ON f.account_type = :account
LEFT JOIN emag_daily_assortment r ON r.account_type = :account AND r.day = CAST(:day AS date);
