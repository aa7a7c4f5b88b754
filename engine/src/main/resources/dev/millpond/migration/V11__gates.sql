-- Full queues (ADR 31).

-- 0: no mark. Null: the configured one.
ALTER TABLE millpond.queue_flow
    ADD COLUMN high_watermark bigint CHECK (high_watermark BETWEEN 0 AND 1000000000),
    ADD COLUMN low_watermark  bigint CHECK (low_watermark BETWEEN 1 AND 1000000000);

-- Of each queue that was ever full. Changes under its row's lock alone.
CREATE TABLE millpond.queue_gate
(
    queue          text        NOT NULL PRIMARY KEY REFERENCES millpond.queue (name),
    closed         boolean     NOT NULL DEFAULT false,
    -- The mark it was closed at: by another mark, it is not closed.
    high_watermark bigint      NOT NULL DEFAULT 0,
    closings       bigint      NOT NULL DEFAULT 0,
    -- Whether as many jobs are scheduled or wait as may be; kept by the leader, a little late.
    scheduled_full boolean     NOT NULL DEFAULT false,
    changed_at     timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- The id lets a reader begin at the newest sums, so that it never walks rows that are gone, but that a snapshot
-- pinned by somebody else keeps.
ALTER TABLE millpond.queue_depth
    ADD COLUMN id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Jobs that have left among the delta.
    ADD COLUMN departed  integer NOT NULL DEFAULT 0,
    -- Of a row that sums others: the first id that whoever reads from it has to read.
    ADD COLUMN since     bigint,
    -- Of a row that sums others: jobs that leave in a second, on average, as of summed_at.
    ADD COLUMN rate      double precision,
    ADD COLUMN summed_at timestamptz;

CREATE INDEX queue_depth_sums ON millpond.queue_depth (id) WHERE since IS NOT NULL;
