-- A worker that an operator has asked to take nothing more, and what it says of itself with each beat.
ALTER TABLE millpond.worker
    ADD COLUMN drained        boolean NOT NULL DEFAULT false, -- it takes nothing, and has nothing any more
    ADD COLUMN drain_asked_at timestamptz,                    -- null: it is not asked to
    ADD COLUMN drain_by       text,
    ADD COLUMN drain_reason   text;
