-- One offer: its current state and its past (admin/history.py).

-- name: states
-- The commercial states of an offer in order of time; with :since, only those in force after it.
SELECT valid_from, valid_to, is_saleable, status, sale_price, best_offer_sale_price, currency, general_stock,
       estimated_stock, buy_button_rank, number_of_offers, offer_validation_status, validation_status,
       translation_validation_status, unreadable,
       emag_issue_codes(status, general_stock, sale_price, offer_validation_status, validation_status,
                        translation_validation_status, unreadable) AS issue_codes
FROM emag_offer_history
WHERE account_type = :account AND emag_offer_id = :offer
  AND (CAST(:since AS timestamptz) IS NULL OR valid_to IS NULL OR valid_to > :since)
ORDER BY valid_from;

-- name: known_offer
-- The facts about an offer. Its rows refer to publishes by stamp; these are converted to the published times.
SELECT o.account_type AS account, o.emag_offer_id, p.name,
       coalesce(first.published_at, o.first_seen_at) AS first_seen_at,
       coalesce(gone.published_at, o.deleted_at) AS deleted_at,
       coalesce(rejected.published_at, o.rejected_at) AS rejected_at,
       o.general_stock IS NOT NULL OR p.raw -> 'general_stock' IS NOT NULL AS is_stock_reported,
       emag_known_since(o.account_type) AS known_since
FROM emag_product_offers o
LEFT JOIN emag_products p USING (account_type, emag_offer_id)
LEFT JOIN emag_publishes first ON first.account_type = o.account_type AND first.stamp = o.first_seen_at
LEFT JOIN emag_publishes gone ON gone.account_type = o.account_type AND gone.stamp = o.deleted_at
LEFT JOIN emag_publishes rejected ON rejected.account_type = o.account_type AND rejected.stamp = o.rejected_at
WHERE o.account_type = :account AND o.emag_offer_id = :offer;

-- name: reasons_given
-- The marketplace's own explanations of an offer's issue codes.
SELECT code, emag_refusal_said(code, validation_details, doc_errors, :language) AS said
FROM emag_products CROSS JOIN unnest(CAST(:codes AS text[])) code
WHERE account_type = :account AND emag_offer_id = :offer;

-- name: newest_rejection
-- The newest row of an offer that is in quarantine.
SELECT reason, rejected_at FROM emag_offer_rejects
WHERE account_type = :account AND emag_offer_id = :offer ORDER BY reject_id DESC LIMIT 1;
