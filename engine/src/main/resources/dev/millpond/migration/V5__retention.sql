-- Makes the partitions of one UTC day; false when they exist, or when the default ones hold rows of that day:
-- rows that came while the day had none, or survivors of a day that was dropped. Attached, not created in place: that
-- locks no parent against its writers.
CREATE OR REPLACE FUNCTION millpond.ensure_partitions(day date) RETURNS boolean
    LANGUAGE plpgsql AS
$$
DECLARE
    low    uuid := millpond.uuid_floor(day::timestamp AT TIME ZONE 'UTC');
    high   uuid := millpond.uuid_floor((day + 1)::timestamp AT TIME ZONE 'UTC');
    suffix text := to_char(day, 'YYYYMMDD');
    parent text;
    part   text;
    taken  boolean;
BEGIN
    IF to_regclass('millpond.job_log_p' || suffix) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- All at once and in the order of everybody; an attach would lock them one by one.
    LOCK TABLE ONLY millpond.job_default, ONLY millpond.job_outcome_default,
               ONLY millpond.job_attempt_default, ONLY millpond.job_log_default IN ACCESS EXCLUSIVE MODE;
    FOREACH parent IN ARRAY ARRAY ['job', 'job_outcome', 'job_attempt', 'job_log'] LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM millpond.%1$I WHERE %2$I >= $1 AND %2$I < $2)',
                       parent || '_default', CASE parent WHEN 'job' THEN 'id' ELSE 'job_id' END)
            INTO taken USING low, high;
        IF taken THEN
            RETURN false;
        END IF;
    END LOOP;
    FOREACH parent IN ARRAY ARRAY ['job', 'job_outcome', 'job_attempt', 'job_log'] LOOP
        part := parent || '_p' || suffix;
        EXECUTE format('CREATE TABLE millpond.%I (LIKE millpond.%I INCLUDING ALL)', part, parent);
        EXECUTE format('ALTER TABLE millpond.%I ATTACH PARTITION millpond.%I FOR VALUES FROM (%L) TO (%L)',
                       parent, part, low, high);
    END LOOP;
    RETURN true;
END
$$;
