-- Staging by positions of the listing: a scan may change the size of its pages. What was staged by page numbers is
-- read again (a sync that was waiting for approval says so by itself: its pages are gone).
TRUNCATE {schema}.emag_scan_pages, {schema}.emag_scan_offers, {schema}.emag_scan_confirmations,
         {schema}.emag_scan_changes;
ALTER TABLE {schema}.emag_scan_pages
    ADD COLUMN page_size      integer NOT NULL,
    ADD COLUMN first_position bigint NOT NULL,
    ADD COLUMN positions      integer NOT NULL,
    ADD COLUMN is_unreadable  boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT emag_scan_pages_pkey,
    ADD PRIMARY KEY (sync_id, round, first_position);
COMMENT ON COLUMN {schema}.emag_scan_pages.page IS
    'Number of the page as it was asked for, from 1, at `page_size`. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_pages.page_size IS 'Offers that were asked for at once. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_pages.first_position IS
    'First position of the listing, from 0, that this record accounts for. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_pages.positions IS
    'How many positions from there on it accounts for: the part of the page that no other record holds. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_pages.is_unreadable IS
    'The marketplace fails on every page that holds this one position, whatever its size. Source: the scan.';

ALTER TABLE {schema}.emag_scan_confirmations ADD COLUMN is_unreadable boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN {schema}.emag_scan_confirmations.is_unreadable IS
    'The read by id failed as well, so the offer keeps its last state. Source: the scan.';

-- The page size that works for an account
ALTER TABLE {schema}.emag_accounts
    ADD COLUMN page_size    integer CHECK (page_size > 0),
    ADD COLUMN page_size_at timestamptz;
COMMENT ON COLUMN {schema}.emag_accounts.page_size IS
    'Offers a page that the marketplace manages for this account; null = as set by EMAG_API_PAGE_SIZE. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_accounts.page_size_at IS
    'When that was last found or a larger size tried; the next one is tried a day later (UTC). Source: the scan.';

ALTER TABLE {schema}.emag_requests ADD COLUMN page_size integer;
COMMENT ON COLUMN {schema}.emag_requests.page_size IS
    'Offers that were asked for at once; null where there are no pages. Source: the client.';

-- Offers: what real accounts answer beyond the vendor's document (emag-api.md, section 9)
ALTER TABLE {schema}.emag_scan_offers
    ADD COLUMN unreadable                text[] NOT NULL,
    ADD COLUMN min_sale_price            numeric(18,4),
    ADD COLUMN max_sale_price            numeric(18,4),
    ADD COLUMN commission                numeric(18,4),
    ADD COLUMN supply_lead_time          integer,
    ADD COLUMN emag_club                 boolean,
    ADD COLUMN has_smart_deals_badge     boolean,
    ADD COLUMN start_date                jsonb,
    ADD COLUMN stock_by_warehouse        jsonb,
    ADD COLUMN availability_by_warehouse jsonb,
    ADD COLUMN family_type_id            bigint,
    ADD COLUMN rrp_guidelines            text,
    ADD COLUMN auto_translated           boolean;
ALTER TABLE {schema}.emag_product_offers
    ADD COLUMN unreadable                text[] NOT NULL DEFAULT '{}',
    ADD COLUMN min_sale_price            numeric(18,4),
    ADD COLUMN max_sale_price            numeric(18,4),
    ADD COLUMN commission                numeric(18,4),
    ADD COLUMN supply_lead_time          integer,
    ADD COLUMN emag_club                 boolean,
    ADD COLUMN has_smart_deals_badge     boolean,
    ADD COLUMN start_date                jsonb,
    ADD COLUMN stock_by_warehouse        jsonb,
    ADD COLUMN availability_by_warehouse jsonb;
ALTER TABLE {schema}.emag_offer_history
    ADD COLUMN unreadable                text[] NOT NULL DEFAULT '{}',
    ADD COLUMN min_sale_price            numeric(18,4),
    ADD COLUMN max_sale_price            numeric(18,4),
    ADD COLUMN commission                numeric(18,4),
    ADD COLUMN supply_lead_time          integer,
    ADD COLUMN emag_club                 boolean,
    ADD COLUMN has_smart_deals_badge     boolean,
    ADD COLUMN start_date                jsonb,
    ADD COLUMN stock_by_warehouse        jsonb,
    ADD COLUMN availability_by_warehouse jsonb;
ALTER TABLE {schema}.emag_products
    ADD COLUMN family_type_id  bigint,
    ADD COLUMN rrp_guidelines  text,
    ADD COLUMN auto_translated boolean;

-- What answers held that this code does not know or cannot read
CREATE TABLE {schema}.emag_answer_surprises (
    account_type  text NOT NULL,
    resource      text NOT NULL,
    field         text NOT NULL,
    kind          text NOT NULL
        CHECK (kind IN ('unknown field', 'unexpected type', 'unknown code', 'out of range', 'unstorable text')),
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at  timestamptz NOT NULL DEFAULT now(),
    times         bigint NOT NULL,
    sample        text,
    PRIMARY KEY (account_type, resource, field, kind)
);
COMMENT ON TABLE {schema}.emag_answer_surprises IS
    'One row for each thing in an account''s answers that this version does not know or cannot read; at most 200 for each resource, what is beyond is added up under the field `…`. Source: the scan, refresh_reference.';
COMMENT ON COLUMN {schema}.emag_answer_surprises.account_type IS
    'The account, e.g. `main` or `fbe`: one seller''s login on one marketplace. Source: the settings.';
COMMENT ON COLUMN {schema}.emag_answer_surprises.resource IS
    'What was called, as in emag_requests, e.g. `product_offer/read`. Source: the client.';
COMMENT ON COLUMN {schema}.emag_answer_surprises.field IS
    'The field of a row, e.g. `warranty` or `family.id`, cut to 100 characters. Source: the resource''s rows.';
COMMENT ON COLUMN {schema}.emag_answer_surprises.kind IS
    '`unknown field`: kept in raw; `unexpected type`, `out of range`: its column is null; `unknown code`: kept as it is; `unstorable text`: kept with U+FFFD in place of what PostgreSQL cannot hold. Source: the client.';
COMMENT ON COLUMN {schema}.emag_answer_surprises.first_seen_at IS 'When it was first read (UTC). Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_answer_surprises.last_seen_at IS 'When it was last read (UTC). Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_answer_surprises.times IS
    'Rows that showed it since then; a row counts each time that it is read. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_answer_surprises.sample IS
    'The first such value in at most 80 characters, of lists and objects only the shape; null where it may be personal data. Source: the resource''s rows.';

-- Why the marketplace refused, in one sentence and one language (emag-api.md, section 9) --------------------
-- Texts of a reason, whatever its form: a text, a list, texts by locale, or an object with texts under known keys.
CREATE FUNCTION {schema}.emag_reason_texts(part jsonb, language text, depth integer DEFAULT 0)
RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    item  jsonb;
    name  text;
    found text[] := '{}';
    extra text[];
BEGIN
    IF jsonb_typeof(part) = 'string' THEN
        RETURN array_remove(ARRAY[btrim(part #>> '{}')], '');
    ELSIF part IS NULL OR depth > 20 OR part = '{}' OR jsonb_typeof(part) NOT IN ('array', 'object') THEN
        RETURN found;
    ELSIF jsonb_typeof(part) = 'array' THEN
        FOR item IN SELECT value FROM jsonb_array_elements(part) LOOP
            found := found || {schema}.emag_reason_texts(item, language, depth + 1);
        END LOOP;
        RETURN found;
    END IF;

    IF (SELECT bool_and(key ~ '^[a-z]{2}([_-][A-Za-z]{2,4})?$' AND key <> 'id') FROM jsonb_object_keys(part) key) THEN
        SELECT value INTO item
        FROM jsonb_each(part) WITH ORDINALITY texts (key, value, place)
        WHERE value NOT IN ('null', '""', '[]', '{}')
        ORDER BY left(key, 2) = language IS TRUE DESC, left(key, 2) = 'en' DESC, place
        LIMIT 1;
        RETURN {schema}.emag_reason_texts(item, language, depth + 1);
    END IF;

    -- the most specific text of the object itself
    FOREACH name IN ARRAY ARRAY['seller_text', 'error_description', 'user_message', 'message', 'text', 'description',
                                'error', 'reason', 'detail', 'details', 'title'] LOOP
        found := {schema}.emag_reason_texts(part -> name, language, depth + 1);
        EXIT WHEN found <> '{}';
    END LOOP;
    extra := {schema}.emag_reason_texts(coalesce(part -> 'extraInfo', part -> 'extra_info'), language, depth + 1);
    IF found <> '{}' AND extra <> '{}' THEN
        found[cardinality(found)] := rtrim(found[cardinality(found)], '. ') || ' (' || array_to_string(extra, ', ') || ')';
    ELSE
        found := found || extra;
    END IF;
    -- what it holds beside, or, of an object that is keyed by field, everything
    FOREACH name IN ARRAY ARRAY['reasons', 'errors', 'warnings'] LOOP
        found := found || {schema}.emag_reason_texts(part -> name, language, depth + 1);
    END LOOP;
    IF found = '{}' THEN
        FOR item IN SELECT value FROM jsonb_each(part)
                    WHERE key !~* '(^|_)(id|code|status|version|url|key|input|section|identifier|type)$' LOOP
            found := found || {schema}.emag_reason_texts(item, language, depth + 1);
        END LOOP;
    END IF;
    RETURN found;
END
$$;
COMMENT ON FUNCTION {schema}.emag_reason_texts(jsonb, text, integer) IS
    'Texts of the marketplace''s errors or warnings of any form, in order; of texts by locale the one in `language`, else English, else any.';

-- What a person reads of such a text: one line without tags, entities, addresses, ids and codes.
CREATE FUNCTION {schema}.emag_plain_text(said text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    accent text[];
    entity text[];
    code   bigint;
BEGIN
    said := left(said, 4000);
    IF said ~ '[<&]' THEN
        FOR pass IN 1..2 LOOP  -- tags may be written as entities, and entities as entities
            said := regexp_replace(said, '</?(br|p|div|li|ul|ol|tr|td|th|h[1-6])\y[^<>]*>', ' ', 'gi');
            said := regexp_replace(said, '</?[a-z!][^<>]*>', '', 'gi');
            FOREACH accent SLICE 1 IN ARRAY ARRAY[
                ['grave', chr(768)], ['acute', chr(769)], ['circ', chr(770)], ['tilde', chr(771)], ['breve', chr(774)],
                ['uml', chr(776)], ['ring', chr(778)], ['dblac', chr(779)], ['caron', chr(780)], ['cedil', chr(807)]] LOOP
                said := regexp_replace(said, '&([A-Za-z])' || accent[1] || ';', '\1' || accent[2], 'g');
            END LOOP;
            FOR entity IN SELECT regexp_matches(said, '(&#(x?)([0-9a-f]{1,7});)', 'gi') LOOP
                code := CASE WHEN entity[2] <> '' THEN ('x' || lpad(entity[3], 8, '0'))::bit(32)::bigint
                             WHEN entity[3] ~ '^[0-9]+$' THEN entity[3]::bigint END;
                said := replace(said, entity[1],
                                CASE WHEN code BETWEEN 32 AND 55295 OR code BETWEEN 57344 AND 1114111 THEN chr(code::int)
                                     ELSE ' ' END);
            END LOOP;
            said := replace(replace(replace(said, '&lt;', '<'), '&gt;', '>'), '&quot;', '"');
            said := replace(replace(replace(said, '&apos;', ''''), '&nbsp;', ' '), '&amp;', '&');
        END LOOP;
        said := normalize(regexp_replace(said, '&[A-Za-z][A-Za-z0-9]{1,30};', ' ', 'g'), NFC);
    END IF;
    IF said ~ '[/.]' THEN  -- addresses, also of people, and of pictures without a scheme; the sign that ends a sentence is no part of one
        said := regexp_replace(said, '[[:alnum:]_.+-]+@[[:alnum:]-]+(\.[[:alnum:]-]+)+', '', 'g');
        said := regexp_replace(said, '((https?:)?//|\ywww\.)[^\s<>"'')\]]*[^\s<>"'')\].,;:!?]', '', 'gi');
        said := regexp_replace(said, '[^\s<>"''(\[]+\.(jpe?g|png|gif|webp|bmp)(\?[^\s<>"'')\]]*)?(?![[:alnum:]])', '', 'gi');
    END IF;
    IF said ~ '[0-9]' THEN  -- UUIDs and hashes; numbers of 7 digits or more with what is attached to them; codes in brackets
        said := regexp_replace(said, '\y[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\y', '', 'gi');
        said := regexp_replace(said, '\y(?=[a-f]*[0-9])[0-9a-f]{24,}\y', '', 'gi');
        said := regexp_replace(said, '[[:alnum:]_-]*(?<![0-9][.,])(?<![0-9])[0-9]{7,}(?![.,]?[0-9])[[:alnum:]_-]*', '', 'g');
        said := regexp_replace(said, '\[(?=[A-Z_:.-]*[0-9])[A-Z0-9_:.-]{3,}\]', '', 'g');
    END IF;
    -- a code is no words
    IF said ~ '^\s*[A-Za-z0-9.-]+([_:][A-Za-z0-9.-]+)+\s*$' THEN
        RETURN '';
    END IF;

    -- what is left empty by that, and white space
    said := regexp_replace(said, '[\u0001-\u001f\u007f-\u00a0\u200b\u2028\u2029\ufeff]+', ' ', 'g');
    said := regexp_replace(said, '[(\[]\s*([[:alnum:]_]{1,20}\s*[:=#])?[\s,;]*[)\]]', '', 'g');
    said := regexp_replace(said, '\s+([,.;:!?)\]])', '\1', 'g');
    said := regexp_replace(said, '[,;:]+([,.;:!?)\]])', '\1', 'g');
    RETURN btrim(regexp_replace(said, '\s+', ' ', 'g'), ' .,;:');
END
$$;
COMMENT ON FUNCTION {schema}.emag_plain_text(text) IS
    'A text of the marketplace as a person reads it: one line without tags, entities, addresses, ids and codes.';

CREATE FUNCTION {schema}.emag_refusal_said(issue_code text, details jsonb, doc_errors jsonb, language text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    IF issue_code !~ '^(product|translation|price)_' THEN
        RETURN NULL;  -- the offer's own fault: most rows
    END IF;
    RETURN (
        -- the verdicts that the code is about: of the product, its translation or its price, with the code's number
        WITH verdict AS (
            SELECT value, place
            FROM jsonb_array_elements(details -> CASE split_part(issue_code, '_', 1)
                WHEN 'product' THEN 'validation_status'
                WHEN 'translation' THEN 'translation_validation_status'
                WHEN 'price' THEN 'offer_validation_status' END) WITH ORDINALITY
                AS verdict (value, place)
            WHERE CASE WHEN issue_code = 'price_invalid' THEN value ->> 'value' = '2'
                       WHEN issue_code ~ '_-?[0-9]+$' THEN value ->> 'value' = split_part(issue_code, '_', 2)
                       ELSE true END
        ),
        source (part, place) AS (
            SELECT value -> 'errors', place FROM verdict
            UNION ALL
            SELECT doc_errors, 1000 WHERE issue_code IN ('product_8', 'product_12')
        ),
        -- one object, or a list of them
        problem (part, place, item) AS (
            SELECT one.value, source.place, one.item
            FROM source
            CROSS JOIN LATERAL jsonb_array_elements(
                CASE jsonb_typeof(part) WHEN 'array' THEN part ELSE jsonb_build_array(part) END) WITH ORDINALITY
                AS one (value, item)
            WHERE part IS NOT NULL
        ),
        -- errors first, then warnings; what the marketplace calls the verdict only where there is neither
        raw (texts, rank, place, item) AS (
            SELECT {schema}.emag_reason_texts(
                       CASE jsonb_typeof(part) WHEN 'object' THEN part - 'warnings' ELSE part END, language), 1, place, item
            FROM problem
            UNION ALL
            SELECT {schema}.emag_reason_texts(part -> 'warnings', language), 2, place, item FROM problem
            UNION ALL
            SELECT {schema}.emag_reason_texts(value -> 'description', language), 3, place, 0 FROM verdict
        ),
        plain AS (
            SELECT {schema}.emag_plain_text(one.text) AS text, rank, place, item, one.number
            FROM raw
            CROSS JOIN LATERAL unnest(texts) WITH ORDINALITY AS one (text, number)
        ),
        reason AS (
            SELECT DISTINCT ON (lower(text)) *, min(rank) OVER () AS best
            FROM plain
            WHERE text <> ''
            ORDER BY lower(text), rank, place, item, number
        ),
        joined AS (
            SELECT string_agg(text, '; ' ORDER BY rank, place, item, number) AS text
            FROM reason
            WHERE rank < 3 OR best = 3
        )
        SELECT CASE WHEN length(text) <= 400 THEN text
                    ELSE rtrim(coalesce(substring(left(text, 400) FROM '^(.{200,})\s'), left(text, 399)), ' .,;:(') || '…' END
        FROM joined
    );
END
$$;
COMMENT ON FUNCTION {schema}.emag_refusal_said(text, jsonb, jsonb, text) IS
    'Why the marketplace refused, in one sentence of at most 400 characters: its errors, else its name of the verdict, for an issue code such as `product_8`, from emag_products.validation_details and doc_errors; in `language` (two letters), else English, else any. Null for a code that is no verdict of the marketplace, and where it says nothing.';
COMMENT ON COLUMN {schema}.emag_offer_issues.said IS
    'Why the marketplace refused, in its own words, as emag_refusal_said puts them; null where it says nothing. Source: emag_products.validation_details, doc_errors.';
