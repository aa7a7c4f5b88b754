-- Jobs that may not start after a time, and results that live shorter than their jobs. Both tables have
-- rows only for jobs that ask for it.

-- Until when a job may start. Written with the job; removed with its end, or swept after it.
CREATE TABLE millpond.job_expiry
(
    job_id     uuid        NOT NULL PRIMARY KEY,
    expires_at timestamptz NOT NULL,
    look_at    timestamptz NOT NULL -- when the expirer looks (again): at the expiry, later while a worker may have the job
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);

CREATE INDEX job_expiry_look ON millpond.job_expiry (look_at);

-- The result of a succeeded job that asked for a time to live; job_outcome.result is null for such a job.
CREATE TABLE millpond.job_result
(
    job_id     uuid        NOT NULL PRIMARY KEY,
    result     text        NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);

CREATE INDEX job_result_expiry ON millpond.job_result (expires_at);
