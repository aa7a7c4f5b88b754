-- Who holds the places of a limit is counted from a mark on, so that rows of ended jobs that somebody's
-- snapshot keeps are not walked over again with each claim (ADR 32).
ALTER TABLE millpond.flow_limit
    ADD COLUMN counted_from timestamptz, -- whoever has started before and runs on is among the elders
    ADD COLUMN elders       uuid[],      -- at most 64
    ADD COLUMN count_all_at timestamptz, -- then all are counted; null: now
    ADD CHECK ((count_all_at IS NULL) = (counted_from IS NULL) AND (count_all_at IS NULL) = (elders IS NULL));

DROP INDEX millpond.job_state_running_queue;
DROP INDEX millpond.job_state_running_kind;
CREATE INDEX job_state_running_queue ON millpond.job_state (queue, started_at) WHERE phase = 'running';
CREATE INDEX job_state_running_kind ON millpond.job_state (kind, started_at) WHERE phase = 'running';
