-- Who may call, and what callers have changed (ADR 35).

-- Keys of callers. The secret is not here, only its SHA-256.
CREATE TABLE millpond.api_key
(
    prefix       text        NOT NULL PRIMARY KEY CHECK (prefix ~ '^[a-z0-9]{8}$'),
    hash         bytea       NOT NULL CHECK (octet_length(hash) = 32),
    name         text        NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_.-]{0,63}$'),
    scopes       text[]      NOT NULL CHECK (cardinality(scopes) >= 1 AND scopes <@ ARRAY ['submit', 'read', 'operate', 'admin']),
    queues       text[] CHECK (cardinality(queues) >= 1), -- null: all of them
    created_by   text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
) WITH (fillfactor = 50);

-- Sessions of browsers: the rights are those of the key. The cookie is not here, only its SHA-256.
CREATE TABLE millpond.api_session
(
    hash       bytea       NOT NULL PRIMARY KEY CHECK (octet_length(hash) = 32),
    prefix     text        NOT NULL REFERENCES millpond.api_key (prefix) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE INDEX api_session_prefix ON millpond.api_session (prefix, created_at);

-- One row. The version grows with each change of a key and with each log-out, in its transaction.
CREATE TABLE millpond.access_version
(
    one     boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (one),
    version bigint  NOT NULL
) WITH (fillfactor = 50);

INSERT INTO millpond.access_version (version) VALUES (1);

-- What a caller changed, written in the transaction of the change. No payloads.
CREATE TABLE millpond.audit
(
    id        bigint      NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT now(),
    principal text        NOT NULL,
    key       text, -- prefix; null: without a key
    address   text,
    action    text        NOT NULL,
    target    text        NOT NULL,
    before    jsonb,
    after     jsonb
);

-- Removes the old ones.
CREATE INDEX audit_at ON millpond.audit (at);
