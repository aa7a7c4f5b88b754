-- What is known of processes that were lost, and of the jobs that were lost with them (ADR 25).

-- All sessions of one process have its id; null: of a process that does not say. A process that was only cut off comes
-- back as a new session of the same id. died: whoever took its place has seen that it is gone.
ALTER TABLE millpond.worker
    ADD COLUMN process uuid,
    ADD COLUMN died    boolean NOT NULL DEFAULT false;

-- losses: how often the job was lost with its process since its last end of an attempt; above 0 it runs alone.
-- alone: nothing else runs in the process of this running job. alone_in: processes that were lost while it did, and of
-- which it is not known whether they died; those that are known to have died are counted in crashes.
ALTER TABLE millpond.job_state
    ADD COLUMN losses   integer NOT NULL DEFAULT 0 CHECK (losses >= 0),
    ADD COLUMN alone    boolean NOT NULL DEFAULT false,
    ADD COLUMN alone_in uuid[];
