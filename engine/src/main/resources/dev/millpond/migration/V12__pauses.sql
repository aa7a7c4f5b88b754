-- What operators have paused (ADR 33): settings that every process follows, so each change grows flow_version.
CREATE TABLE millpond.pause
(
    scope     text        NOT NULL CHECK (scope IN ('queue', 'kind', 'tag')),
    name      text        NOT NULL,
    reason    text CHECK (length(reason) <= 500),
    paused_by text CHECK (length(paused_by) <= 100),
    paused_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, name)
);

-- The tag for whose sake a job waits.
ALTER TABLE millpond.job_state
    ADD COLUMN paused_tag text,
    ADD CHECK ((paused_tag IS NOT NULL) = (phase = 'waiting' AND wait_reason IS NOT DISTINCT FROM 'pause'));

-- Finds the jobs of a tag that is no longer paused, and which tags have any, without a scan.
CREATE INDEX job_state_paused ON millpond.job_state (paused_tag, job_id) WHERE paused_tag IS NOT NULL;
