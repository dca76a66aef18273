-- Reading a table from end to end (admin/export.py).

-- name: begin_reading
-- Settings for one statement that reads a whole table in the table's own order, so that two exports can be compared. The
-- reader may pause for up to :pause milliseconds.
SELECT set_config('transaction_read_only', 'on', true), set_config('cursor_tuple_fraction', '1', true),
       set_config('synchronize_seqscans', 'off', true), set_config('max_parallel_workers_per_gather', '0', true),
       set_config('idle_in_transaction_session_timeout', :pause, true);

-- name: past
-- The offers of an account as published at a moment, with the VAT rate of that moment.
SELECT h.*, v.vat_rate, round(h.sale_price * (1 + v.vat_rate), 2)::numeric(18,4) AS sale_price_with_vat
FROM emag_offers_as_of(:value, CAST(:at AS timestamptz)) h
LEFT JOIN emag_vat_rates_as_of(:value, CAST(:at AS timestamptz)) v USING (vat_id);

-- name: without_formulas
-- A text with an apostrophe before whatever a spreadsheet would read as a formula, and before a leading tab or line break.
CASE WHEN left({text}, 1) IN (E'\t', E'\r', E'\n') THEN '''' ELSE '' END
    || regexp_replace({text}, :formula, '\1''\2', 'g');
