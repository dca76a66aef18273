-- Texts of the marketplace may be of any length. A b-tree's entry is bounded (2,704 bytes), a hash index keeps four bytes of
-- any text, and is asked for equality alone.
DROP INDEX {schema}.emag_product_offers_by_part_number_key;
CREATE INDEX emag_product_offers_by_part_number_key
    ON {schema}.emag_product_offers USING hash (part_number_key) WHERE part_number_key IS NOT NULL;

-- A person may throw the staged pages of a sync away, so that the next run reads anew.
ALTER TABLE {schema}.emag_offer_syncs
    ADD COLUMN discarded_at timestamptz,
    ADD COLUMN discarded_by text;
COMMENT ON COLUMN {schema}.emag_offer_syncs.discarded_at IS
    'When a person threw its staged pages away; it is never resumed then, nor approved (UTC). Source: `emag-pipeline discard`.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.discarded_by IS
    'Who did so: the user of the operating system. Source: `emag-pipeline discard`.';
