-- Queues are full by bytes as well as by jobs (ADR 31).

-- Bytes of payloads among the delta.
ALTER TABLE millpond.queue_depth ADD COLUMN bytes bigint NOT NULL DEFAULT 0;

-- 0: no mark. Null: the configured one.
ALTER TABLE millpond.queue_flow
    ADD COLUMN high_mib bigint CHECK (high_mib BETWEEN 0 AND 1048576),
    ADD COLUMN low_mib  bigint CHECK (low_mib BETWEEN 1 AND 1048576);

-- The mark in bytes it was closed at.
ALTER TABLE millpond.queue_gate ADD COLUMN high_bytes bigint NOT NULL DEFAULT 0;
