-- The shards whose streams a worker reads now, as it says with each beat; empty: it claims from PostgreSQL alone.
ALTER TABLE millpond.worker
    ADD COLUMN shards integer[] NOT NULL DEFAULT '{}';
