-- What operators set while the fleet runs (ADR 29). Every process follows it.

-- One row. The version grows with each change, in its transaction: whoever has read this version has read all before it.
CREATE TABLE millpond.flow_version
(
    one        boolean     NOT NULL PRIMARY KEY DEFAULT true CHECK (one),
    version    bigint      NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

INSERT INTO millpond.flow_version (version) VALUES (1);

-- Settings of a queue; null: the default. A queue without a row has defaults alone.
CREATE TABLE millpond.queue_flow
(
    queue        text    NOT NULL PRIMARY KEY REFERENCES millpond.queue (name),
    weight       integer CHECK (weight BETWEEN 1 AND 10000),
    aging_millis bigint CHECK (aging_millis BETWEEN 1000 AND 86400000)
);

-- Weights of priority classes within a queue, where they differ from the configured ones.
CREATE TABLE millpond.class_weight
(
    queue  text    NOT NULL REFERENCES millpond.queue (name),
    class  text    NOT NULL,
    weight integer NOT NULL CHECK (weight BETWEEN 1 AND 10000),
    PRIMARY KEY (queue, class)
);
