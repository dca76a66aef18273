-- emag_daily_assortment: one row for a day (UTC) of an account, from history alone, so that a day computed later is the same.

-- name: fresh
-- A day is over when its end had passed before this statement's snapshot was taken (so its timestamp, not the clock), and
-- no publish is under way that may have begun before that end: it would commit later. No row for a day that ended before
-- the first publish, nor for one to come.
WITH day AS (
    SELECT CAST(:day AS date)::timestamp AT TIME ZONE 'UTC' AS begins,
           (CAST(:day AS date) + 1)::timestamp AT TIME ZONE 'UTC' AS ends
),
moment AS (
    SELECT day.begins - interval '1 microsecond' AS before,
           CASE WHEN day.ends > statement_timestamp() OR EXISTS (
                    SELECT FROM {schema}.emag_offer_syncs
                    WHERE account_type = :account AND status = 'running' AND phase = 'publishing'
                      AND attempt_started_at < day.ends)
                THEN greatest(newest.published_at, day.begins)
                ELSE day.ends - interval '1 microsecond' END AS as_of
    FROM day
    CROSS JOIN newest
    WHERE day.begins <= statement_timestamp() AND day.ends > least(
        (SELECT min(valid_from) FROM {schema}.emag_offer_history WHERE account_type = :account),
        (SELECT min(completed_at) FROM {schema}.emag_offer_syncs WHERE account_type = :account AND status = 'completed'))
),
here AS MATERIALIZED (
    SELECT h.* FROM moment CROSS JOIN LATERAL {schema}.emag_offers_as_of(:account, moment.as_of) h
),
there AS (
    SELECT h.emag_offer_id, h.sale_price
    FROM moment
    CROSS JOIN LATERAL {schema}.emag_offers_as_of(:account, moment.before) h
),
money AS (
    SELECT mode() WITHIN GROUP (ORDER BY currency) AS currency FROM here
),
figures AS (
    SELECT count(*) AS offers, count(*) FILTER (WHERE is_saleable) AS saleable_offers,
           coalesce(sum(greatest(general_stock, 0)), 0) AS stock
    FROM here
),
amounts AS (
    SELECT coalesce(sum(greatest(here.general_stock, 0) * here.sale_price), 0) AS stock_value,
           -- the mean of the two in the middle, which are one where their number is odd; exact, unlike percentile_cont
           round((percentile_disc(0.5) WITHIN GROUP (ORDER BY here.sale_price)
                  + percentile_disc(0.5) WITHIN GROUP (ORDER BY here.sale_price DESC)) / 2, 4) AS median_price
    FROM here
    JOIN money ON coalesce(here.currency, money.currency) IS NOT DISTINCT FROM money.currency
    WHERE here.sale_price IS NOT NULL
),
moves AS (
    SELECT count(*) FILTER (WHERE there.emag_offer_id IS NULL) AS arrivals,
           count(*) FILTER (WHERE here.emag_offer_id IS NULL) AS departures,
           count(*) FILTER (WHERE here.emag_offer_id = there.emag_offer_id
                              AND here.sale_price IS DISTINCT FROM there.sale_price) AS price_moves,
           count(*) FILTER (WHERE here.sale_price > there.sale_price) AS price_rises,
           count(*) FILTER (WHERE here.sale_price < there.sale_price) AS price_cuts
    FROM here
    FULL JOIN there ON there.emag_offer_id = here.emag_offer_id
),
issues AS (
    SELECT coalesce(jsonb_object_agg(code, offers), '{}') AS issues
    FROM (
        SELECT code, count(*) AS offers
        FROM here
        CROSS JOIN LATERAL unnest({schema}.emag_issue_codes(
            status, general_stock, offer_validation_status, validation_status, translation_validation_status,
            unreadable)) code
        GROUP BY code
    ) counted
)
SELECT CAST(:day AS date) AS day, CAST(:account AS text) AS account_type, moment.as_of,
       figures.offers, figures.saleable_offers,
       round(figures.saleable_offers / nullif(figures.offers, 0)::numeric, 6) AS saleable_share,
       figures.stock, amounts.stock_value, amounts.median_price, money.currency,
       moves.arrivals, moves.departures, moves.price_moves, moves.price_rises, moves.price_cuts, issues.issues
FROM moment
CROSS JOIN money
CROSS JOIN figures
CROSS JOIN amounts
CROSS JOIN moves
CROSS JOIN issues;

-- name: row
SELECT as_of, offers, saleable_offers, saleable_share, stock, stock_value, median_price, currency,
       arrivals, departures, price_moves, price_rises, price_cuts, issues
FROM {schema}.emag_daily_assortment
WHERE account_type = :account AND day = CAST(:day AS date);
