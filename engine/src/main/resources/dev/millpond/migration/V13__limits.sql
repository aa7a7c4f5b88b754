-- Limits of queues and kinds (ADR 32). Concurrency is counted from live holders; the bucket of a rate is in the row.
CREATE TABLE millpond.flow_limit
(
    scope       text        NOT NULL CHECK (scope IN ('queue', 'kind')),
    name        text        NOT NULL,
    concurrency integer CHECK (concurrency BETWEEN 1 AND 100000),
    permits     integer CHECK (permits BETWEEN 1 AND 1000000),
    per_millis  bigint CHECK (per_millis BETWEEN 1 AND 86400000),
    burst       integer CHECK (burst BETWEEN 1 AND 1000000),
    tokens      double precision NOT NULL DEFAULT 0,
    filled_at   timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    settled     boolean     NOT NULL DEFAULT false, -- nothing is on its way any more that was let go before the limit
    PRIMARY KEY (scope, name),
    CHECK (concurrency IS NOT NULL OR permits IS NOT NULL),
    CHECK ((permits IS NULL) = (per_millis IS NULL) AND (permits IS NULL) = (burst IS NULL))
) WITH (fillfactor = 50);

-- Counts who runs.
CREATE INDEX job_state_running_queue ON millpond.job_state (queue) WHERE phase = 'running';
CREATE INDEX job_state_running_kind ON millpond.job_state (kind) WHERE phase = 'running';
