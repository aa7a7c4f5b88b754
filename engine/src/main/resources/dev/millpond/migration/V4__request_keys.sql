-- A key may name a whole request: all its jobs, in their order. Null for the key of a single job.
ALTER TABLE millpond.idempotency_key
    ADD COLUMN job_ids uuid[] CHECK (cardinality(job_ids) >= 1 AND job_ids[1] = job_id);
