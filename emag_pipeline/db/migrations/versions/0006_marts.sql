-- The buy button, told truthfully: what is lost without a rank, and within the day ------------------------------------
COMMENT ON TABLE {schema}.emag_buy_button IS
    'Existing offers that have a place in the race for the buy button, or had the button within 24 hours before the publish. Prices without VAT unless named so.';
COMMENT ON COLUMN {schema}.emag_buy_button.buy_button_rank IS
    'Place in the race for the add-to-cart button; 1 has it; null when it was lost with the place, as by selling out. Source: the marketplace.';
COMMENT ON COLUMN {schema}.emag_buy_button.change IS
    'Within 24 hours before the publish: lost (had it at some moment, has it no more), won, kept (had it a day ago and has it), missed (had it not), new (no rank a day ago). Source: the history.';
COMMENT ON COLUMN {schema}.emag_buy_button.gap IS
    'sale_price less best_offer_sale_price, without VAT, in `currency`; above 0 when the best offer is cheaper; null where the best price is 0 or not known.';
COMMENT ON COLUMN {schema}.emag_buy_button.sale_price_with_vat IS
    'sale_price with VAT, rounded to two decimals; null when the VAT rate is not known. Source: emag_vat_rates.';
COMMENT ON COLUMN {schema}.emag_buy_button.best_price_with_vat IS
    'best_offer_sale_price with VAT, rounded to two decimals; null when the VAT rate is not known. Source: emag_vat_rates.';
COMMENT ON COLUMN {schema}.emag_buy_button.gap_with_vat IS
    'sale_price_with_vat less best_price_with_vat; null when the VAT rate or the gap is not known. Source: emag_vat_rates.';
