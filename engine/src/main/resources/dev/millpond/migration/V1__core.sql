-- Millpond's core tables. The protocol that uses them is described in docs/ARCHITECTURE.md.
-- Rules of this schema: job and job_outcome are never updated; rows on the hot path carry the fewest
-- indexes that work; a column that changes is not indexed (HOT updates), except where a sweep needs it.

-- The smallest UUIDv7 of an instant: partition bounds and time filters on ids.
CREATE FUNCTION millpond.uuid_floor(at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- What was asked. Written once, never updated.
CREATE TABLE millpond.job
(
    id         uuid        NOT NULL,
    queue      text        NOT NULL,
    class      text        NOT NULL,
    kind       text        NOT NULL,
    payload    text        NOT NULL, -- validated JSON as it came; text, because jsonb costs a third of the insert rate
    options    text,                 -- JSON object of the settings that are rarely given; null for none
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);

-- How it ended; one row for each ended job, never updated. A dead letter is no end.
CREATE TABLE millpond.job_outcome
(
    job_id      uuid        NOT NULL,
    outcome     text        NOT NULL CHECK (outcome IN ('succeeded', 'cancelled')),
    attempt     integer     NOT NULL CHECK (attempt >= 1),
    lease_token integer     NOT NULL CHECK (lease_token >= 1),
    worker_id   uuid,
    started_at  timestamptz,
    ended_at    timestamptz NOT NULL DEFAULT now(),
    result      text,
    PRIMARY KEY (job_id)
) PARTITION BY RANGE (job_id);

-- Ended attempts that were not the job's success.
CREATE TABLE millpond.job_attempt
(
    job_id        uuid        NOT NULL,
    lease_token   integer     NOT NULL,
    attempt       integer     NOT NULL,
    worker_id     uuid,
    started_at    timestamptz,
    ended_at      timestamptz NOT NULL DEFAULT now(),
    ended         text        NOT NULL CHECK (ended IN ('failed', 'fatal', 'timed_out', 'rescued', 'cancelled')),
    error_type    text,
    error_message text,
    error_stack   text,
    PRIMARY KEY (job_id, lease_token)
) PARTITION BY RANGE (job_id);

CREATE TABLE millpond.job_log
(
    job_id      uuid        NOT NULL,
    lease_token integer     NOT NULL,
    line_no     integer     NOT NULL,
    logged_at   timestamptz NOT NULL,
    line        text        NOT NULL,
    PRIMARY KEY (job_id, lease_token, line_no)
) PARTITION BY RANGE (job_id);

-- A default partition is never dropped; it catches ids outside the days that have one.
CREATE TABLE millpond.job_default PARTITION OF millpond.job DEFAULT;
CREATE TABLE millpond.job_outcome_default PARTITION OF millpond.job_outcome DEFAULT;
CREATE TABLE millpond.job_attempt_default PARTITION OF millpond.job_attempt DEFAULT;
CREATE TABLE millpond.job_log_default PARTITION OF millpond.job_log DEFAULT;

-- Makes the partitions of one UTC day; false when they exist.
CREATE FUNCTION millpond.ensure_partitions(day date) RETURNS boolean
    LANGUAGE plpgsql AS
$$
DECLARE
    low    uuid := millpond.uuid_floor(day::timestamp AT TIME ZONE 'UTC');
    high   uuid := millpond.uuid_floor((day + 1)::timestamp AT TIME ZONE 'UTC');
    suffix text := to_char(day, 'YYYYMMDD');
    parent text;
BEGIN
    IF to_regclass('millpond.job_log_p' || suffix) IS NOT NULL THEN
        RETURN false;
    END IF;
    FOREACH parent IN ARRAY ARRAY ['job', 'job_outcome', 'job_attempt', 'job_log'] LOOP
        EXECUTE format('CREATE TABLE IF NOT EXISTS millpond.%I PARTITION OF millpond.%I FOR VALUES FROM (%L) TO (%L)',
                       parent || '_p' || suffix, parent, low, high);
    END LOOP;
    RETURN true;
END
$$;

SELECT millpond.ensure_partitions((now() AT TIME ZONE 'UTC')::date + d) FROM generate_series(-1, 3) AS d;

-- Jobs off the straight path. No row means: attempt 1, token 1, held by a dispatch row.
CREATE TABLE millpond.job_state
(
    job_id           uuid        NOT NULL PRIMARY KEY,
    queue            text        NOT NULL,
    class            text        NOT NULL,
    kind             text        NOT NULL,
    phase            text        NOT NULL CHECK (phase IN ('scheduled', 'waiting', 'runnable', 'running', 'dead')),
    wait_reason      text CHECK (wait_reason IN ('retry', 'limit', 'pause', 'signal', 'dependency')),
    lease_token      integer     NOT NULL CHECK (lease_token >= 1),
    attempt          integer     NOT NULL CHECK (attempt >= 1),
    crashes          integer     NOT NULL DEFAULT 0 CHECK (crashes >= 0),
    run_at           timestamptz,
    session          uuid,
    started_at       timestamptz,
    seen_at          timestamptz,
    deadline         timestamptz,
    cancel_requested boolean     NOT NULL DEFAULT false,
    progress_percent smallint CHECK (progress_percent BETWEEN 0 AND 100),
    progress_message text,
    CHECK ((phase = 'scheduled') = (run_at IS NOT NULL)),
    CHECK ((phase = 'running') = (session IS NOT NULL)),
    CHECK (phase <> 'running' OR (seen_at IS NOT NULL AND deadline IS NOT NULL AND started_at IS NOT NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);

CREATE INDEX job_state_due ON millpond.job_state (run_at) WHERE phase = 'scheduled';
CREATE INDEX job_state_running ON millpond.job_state (session, job_id) WHERE phase = 'running';

-- A batch of runnable jobs on its way: outbox, queue, window and pending entry in one. Deleted with
-- the batch's last outcome; never used again (a new way is a new row with a new id).
CREATE TABLE millpond.dispatch
(
    id         uuid        NOT NULL PRIMARY KEY,
    queue      text        NOT NULL,
    class      text        NOT NULL,
    kind       text        NOT NULL,
    shard      integer     NOT NULL CHECK (shard >= 0),
    direct     boolean     NOT NULL DEFAULT false, -- not for a stream: claimed from here by a worker that knows the kind
    job_ids    uuid[]      NOT NULL CHECK (cardinality(job_ids) BETWEEN 1 AND 64),
    tokens     integer[] CHECK (cardinality(tokens) = cardinality(job_ids)), -- null: all 1
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at    timestamptz,
    claimed_by uuid,
    claimed_at timestamptz,
    CHECK (sent_at IS NULL OR claimed_by IS NULL),
    CHECK ((claimed_by IS NULL) = (claimed_at IS NULL))
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);

-- Claims go by kind; the feeder finds what lanes there are by skipping along it.
CREATE INDEX dispatch_lane ON millpond.dispatch (queue, class, kind, id);

-- The reconciler looks at what is in the streams, whatever the backlog behind it.
CREATE INDEX dispatch_sent ON millpond.dispatch (sent_at) WHERE sent_at IS NOT NULL;

CREATE TABLE millpond.dead_letter
(
    job_id        uuid        NOT NULL PRIMARY KEY,
    queue         text        NOT NULL,
    class         text        NOT NULL,
    kind          text        NOT NULL,
    attempts      integer     NOT NULL,
    reason        text        NOT NULL CHECK (reason IN ('exhausted', 'fatal', 'poison')),
    error_type    text        NOT NULL,
    error_message text,
    error_stack   text,
    dead_at       timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX dead_letter_newest ON millpond.dead_letter (dead_at, job_id);

-- A key names a job for its principal; the job row is written only by whoever wrote the key.
CREATE TABLE millpond.idempotency_key
(
    principal  text        NOT NULL,
    key        text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    job_id     uuid        NOT NULL,
    body_hash  bytea       NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (principal, key)
);

CREATE INDEX idempotency_key_expiry ON millpond.idempotency_key (expires_at);

-- One row for each process that runs jobs, from its start until it is forgotten.
CREATE TABLE millpond.worker
(
    session    uuid        NOT NULL PRIMARY KEY,
    host       text        NOT NULL,
    pid        bigint      NOT NULL,
    kinds      text[]      NOT NULL,
    slots      integer     NOT NULL,
    busy       integer     NOT NULL DEFAULT 0,
    draining   boolean     NOT NULL DEFAULT false,
    fenced     boolean     NOT NULL DEFAULT false,
    lease      interval    NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    beat_at    timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- Lease row of the maintenance roles. The epoch grows with each change of hands.
CREATE TABLE millpond.leader
(
    name       text        NOT NULL PRIMARY KEY,
    epoch      bigint      NOT NULL,
    holder     uuid        NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE millpond.queue
(
    name       text        NOT NULL PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Depth (runnable and running jobs) as a sum of deltas: each flush adds rows, the leader compacts them.
CREATE TABLE millpond.queue_depth
(
    queue text    NOT NULL,
    class text    NOT NULL,
    delta integer NOT NULL
);

-- What a job of a kind takes, as a moving average over the fleet; decides how many travel together.
CREATE TABLE millpond.kind
(
    name       text        NOT NULL PRIMARY KEY,
    run_micros bigint      NOT NULL CHECK (run_micros >= 0),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- Tells the worker of a job that has just been cancelled while it may be running.
CREATE TABLE millpond.cancel_notice
(
    job_id       uuid        NOT NULL PRIMARY KEY,
    requested_at timestamptz NOT NULL DEFAULT now()
);

-- First row of each flush: a violation of its key means that the whole flush had been committed.
CREATE TABLE millpond.flush_marker
(
    writer     uuid        NOT NULL,
    seq        bigint      NOT NULL,
    flushed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (writer, seq)
);

CREATE TABLE millpond.setting
(
    key        text        NOT NULL PRIMARY KEY,
    value      text        NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
