-- How the rows of published offers were written, so that the same row need not be read again. A memory that may be lost at any
-- time: unlogged, and in no backup.
CREATE UNLOGGED TABLE {schema}.emag_row_digests (
    account_type  text NOT NULL,
    emag_offer_id bigint NOT NULL,
    digest        bytea NOT NULL,
    row_hash      bytea NOT NULL,
    content_hash  bytea NOT NULL,
    noticed       text,
    formula       bytea NOT NULL,
    narrow_hash   bigint NOT NULL,
    texts_hash    bigint NOT NULL,
    PRIMARY KEY (account_type, emag_offer_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE {schema}.emag_row_digests IS
    'How the row of each published offer was written when it was read, so that the same row is not read again; one row for each offer that a page has shown, also for those that are gone since, without those of which a field that counts could not be read (`unreadable`). May be emptied at any time, as a crash of the server does: the next scan then reads all in full. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_row_digests.account_type IS
    'The account, e.g. `main` or `fbe`: one seller''s login on one marketplace. Source: the settings.';
COMMENT ON COLUMN {schema}.emag_row_digests.emag_offer_id IS 'The seller''s own id of the offer. Source: `id`.';
COMMENT ON COLUMN {schema}.emag_row_digests.digest IS
    'Fingerprint of the row as the marketplace wrote it, and of the rules by which it was read. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_row_digests.row_hash IS
    'Fingerprint of the commercial fields that were read from it: what is remembered holds for no other state. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_row_digests.content_hash IS
    'Fingerprint of all other fields that were read from it. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_row_digests.noticed IS
    'What was noticed in it, as a JSON array of [field, kind, sample], null where nothing was: it is counted in emag_answer_surprises each time the row comes. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_row_digests.narrow_hash IS
    'Hash of the commercial columns that were read from it; the check `published_equals_scan` compares it with what is published. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_row_digests.texts_hash IS
    'The same of the columns of emag_products without `raw`. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_row_digests.formula IS
    'Stands for how these two hashes are made, and of which columns of which schema: of another one nothing is remembered. Source: the publish.';

ALTER TABLE {schema}.emag_scan_offers
    ADD COLUMN row_digest   bytea,
    ADD COLUMN noticed      text,
    ADD COLUMN is_unchanged boolean NOT NULL DEFAULT false,
    ALTER COLUMN validation_status DROP NOT NULL,
    ALTER COLUMN translation_validation_status DROP NOT NULL,
    ALTER COLUMN is_saleable DROP NOT NULL,
    ALTER COLUMN unreadable DROP NOT NULL,
    ALTER COLUMN ean DROP NOT NULL,
    ALTER COLUMN raw DROP NOT NULL,
    ADD CONSTRAINT emag_scan_offers_is_read CHECK (is_unchanged OR (
        validation_status IS NOT NULL AND translation_validation_status IS NOT NULL AND is_saleable IS NOT NULL
        AND unreadable IS NOT NULL AND ean IS NOT NULL AND raw IS NOT NULL));
COMMENT ON COLUMN {schema}.emag_scan_offers.row_digest IS
    'Fingerprint of the row as the marketplace wrote it; null where the same row has to be read again. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_offers.noticed IS
    'What was noticed while the row was read, as a JSON array of [field, kind, sample]; null where nothing was. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_offers.is_unchanged IS
    'The row is written as it was when the offer was published, and was not read again: only its fingerprints stand here. Source: the scan.';

-- Whose the other tables are, and who may use them, holds for this one as well.
DO $$
DECLARE
    owner   text;
    granted record;
BEGIN
    SELECT pg_get_userbyid(relowner) INTO owner FROM pg_class WHERE oid = '{schema}.emag_scan_pages'::regclass;
    FOR granted IN
        SELECT privilege_type AS what,
               CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS whom
        FROM pg_class, aclexplode(relacl)
        WHERE oid = '{schema}.emag_scan_pages'::regclass AND grantee <> relowner
    LOOP
        EXECUTE format('GRANT %s ON {schema}.emag_row_digests TO %s', granted.what, granted.whom);
    END LOOP;
    IF owner <> current_user THEN
        EXECUTE format('ALTER TABLE {schema}.emag_row_digests OWNER TO %I', owner);
    END IF;
END $$;
