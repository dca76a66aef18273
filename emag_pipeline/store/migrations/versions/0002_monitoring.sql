-- What monitoring needs to know without asking Dagster ------------------------------------------------------------
CREATE TABLE {schema}.emag_sensor_ticks (
    sensor    text PRIMARY KEY,
    ticked_at timestamptz NOT NULL
) WITH (fillfactor = 10);
COMMENT ON TABLE {schema}.emag_sensor_ticks IS
    'When each sensor last finished an evaluation: a daemon that is dead falls silent here. Source: the sensors.';

CREATE TABLE {schema}.emag_incidents (
    incident_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject        text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('failing', 'refused', 'stale', 'stuck', 'silent')),
    error_class    text,
    message        text NOT NULL,
    remedy         text NOT NULL,
    dagster_run_id text,
    opened_at      timestamptz NOT NULL DEFAULT now(),
    seen_at        timestamptz NOT NULL DEFAULT now(),
    closed_at      timestamptz,
    told_at        timestamptz,
    told_cause     text,
    end_told_at    timestamptz,
    claimed_until  timestamptz
);
CREATE UNIQUE INDEX emag_incidents_one_open ON {schema}.emag_incidents (subject, kind) WHERE closed_at IS NULL;
COMMENT ON TABLE {schema}.emag_incidents IS
    'What is or was wrong, until it was well again: one open row a subject and kind, so that each is told once.';
COMMENT ON COLUMN {schema}.emag_incidents.subject IS 'An account, or a part of the pipeline such as `daemon`.';
COMMENT ON COLUMN {schema}.emag_incidents.seen_at IS 'The last time that it was still so (UTC).';
COMMENT ON COLUMN {schema}.emag_incidents.message IS 'What is wrong and why, in one line, without the remedy.';
COMMENT ON COLUMN {schema}.emag_incidents.told_at IS
    'When the webhook took the last alert (UTC); null until then: an alert that could not be told is told later.';
COMMENT ON COLUMN {schema}.emag_incidents.told_cause IS 'The cause that was told: another one is told again.';
COMMENT ON COLUMN {schema}.emag_incidents.claimed_until IS
    'Until then (UTC) a process is telling it: two processes do not tell the same twice.';
COMMENT ON COLUMN {schema}.emag_incidents.end_told_at IS 'When the webhook took the message that it is well again (UTC).';

-- How much of the budget is used, without counting calls -------------------------------------------------------------
ALTER TABLE {schema}.emag_rate_budget
    ADD COLUMN minute       timestamptz,
    ADD COLUMN slots        integer NOT NULL DEFAULT 0,
    ADD COLUMN slots_before integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN {schema}.emag_rate_budget.minute IS 'The minute of the last reservation (UTC).';
COMMENT ON COLUMN {schema}.emag_rate_budget.slots IS 'Slots that were reserved in that minute.';
COMMENT ON COLUMN {schema}.emag_rate_budget.slots_before IS 'Slots that were reserved in the minute before it.';

-- Counting a million offers costs more than a scrape may: the publish keeps the sums ------------------------------
CREATE TABLE {schema}.emag_account_figures (
    account_type text PRIMARY KEY,
    offers       bigint NOT NULL,
    saleable     bigint NOT NULL,
    deleted      bigint NOT NULL,
    quarantined  bigint NOT NULL,
    counted_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE {schema}.emag_account_figures IS
    'How many offers an account had after its last publish. Source: counted from emag_product_offers by the publish.';
COMMENT ON COLUMN {schema}.emag_account_figures.offers IS 'Offers that exist, whether or not they can be bought.';
COMMENT ON COLUMN {schema}.emag_account_figures.quarantined IS
    'Existing offers whose newest reading could not be represented.';

INSERT INTO {schema}.emag_account_figures (account_type, offers, saleable, deleted, quarantined)
SELECT account_type,
       count(*) FILTER (WHERE deleted_at IS NULL),
       count(*) FILTER (WHERE deleted_at IS NULL AND is_saleable),
       count(*) FILTER (WHERE deleted_at IS NOT NULL),
       count(*) FILTER (WHERE deleted_at IS NULL AND rejected_at IS NOT NULL)
FROM {schema}.emag_product_offers
GROUP BY account_type;
