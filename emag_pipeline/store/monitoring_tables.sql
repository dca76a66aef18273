-- Records for monitoring.

-- name: record_check_result
-- The newest result replaces the previous one; `failing_since` is kept while the check fails.
INSERT INTO emag_check_results AS before
    (subject, check_name, part, asset, severity, passed, said, remedy, findings, sample,
     dagster_run_id, checked_at, failing_since)
VALUES (:subject, :check, :part, :asset, :severity, :passed, :said, :remedy, :findings,
        CAST(:sample AS jsonb), :run, clock_timestamp(),
        CASE WHEN :passed THEN NULL ELSE clock_timestamp() END)
ON CONFLICT (subject, check_name, part) DO UPDATE SET
    asset = excluded.asset, severity = excluded.severity, passed = excluded.passed,
    said = excluded.said, remedy = excluded.remedy, findings = excluded.findings,
    sample = excluded.sample, dagster_run_id = excluded.dagster_run_id,
    checked_at = excluded.checked_at,
    failing_since = CASE WHEN excluded.passed THEN NULL
                         ELSE coalesce(before.failing_since, excluded.failing_since) END;

-- name: check_results
-- The newest results for some subjects, the oldest failure first.
SELECT subject, check_name AS check, part, asset, severity, passed, said AS sentence, remedy, findings,
       dagster_run_id AS run_id, checked_at, failing_since
FROM emag_check_results
WHERE subject = ANY(CAST(:subjects AS text[]))
ORDER BY failing_since NULLS LAST, subject, check_name, part;

-- name: add_to_counter
INSERT INTO emag_counters AS c (name, labels, value)
VALUES (:name, CAST(:labels AS jsonb), :amount)
ON CONFLICT (name, labels) DO UPDATE SET value = c.value + excluded.value;
