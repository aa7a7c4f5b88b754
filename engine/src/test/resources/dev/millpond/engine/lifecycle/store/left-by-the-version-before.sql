-- What a fleet of the version before has left behind: jobs in every state, by statements that name their columns as
-- that version does. Its one worker (session ...5e55) does not beat any more.

-- Ids of jobs and rows, by number.
CREATE FUNCTION pg_temp.job(n integer) RETURNS uuid LANGUAGE sql AS
$$ SELECT (left(millpond.uuid_floor(now() - interval '10 s')::text, 14) || '7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;

CREATE FUNCTION pg_temp.jobs(low integer, high integer) RETURNS uuid[] LANGUAGE sql AS
$$ SELECT array_agg(pg_temp.job(n) ORDER BY n) FROM generate_series(low, high) AS n $$;

CREATE FUNCTION pg_temp.old_session() RETURNS uuid LANGUAGE sql AS
$$ SELECT '00000000-0000-7000-8000-000000005e55'::uuid $$;

INSERT INTO millpond.queue (name) VALUES ('default'), ('held'), ('limited');
INSERT INTO millpond.kind (name, run_micros) VALUES ('plain', 900), ('limited', 20000);

INSERT INTO millpond.worker (session, host, pid, kinds, slots, busy, lease, shards, process, beat_at)
VALUES (pg_temp.old_session(), 'old-host', 4711, '{plain,limited}', 16, 5, '1 s', '{0}', pg_temp.old_session(),
        now() - interval '2 s');

-- The payload of a job is its number.
INSERT INTO millpond.job (id, queue, class, kind, payload, options)
SELECT pg_temp.job(n),
       CASE WHEN n IN (21, 22) THEN 'held' WHEN n BETWEEN 23 AND 26 THEN 'limited' ELSE 'default' END,
       CASE WHEN n = 2 THEN 'critical' ELSE 'normal' END,
       CASE WHEN n BETWEEN 23 AND 26 THEN 'limited' ELSE 'plain' END,
       n::text,
       CASE n WHEN 15 THEN '{"maxAttempts":2}' WHEN 19 THEN '{"resultTtl":"PT1H"}' WHEN 20 THEN '{"tags":["later"]}' END
FROM generate_series(1, 31) AS n;

-- 1, 2, 3: wait for a worker. 4 to 6: on a stream that is lost. 7 to 9: claimed. 27: has a key. 29: expires.
INSERT INTO millpond.dispatch (id, queue, class, kind, shard, direct, job_ids, tokens, sent_at, claimed_by, claimed_at)
VALUES (pg_temp.job(101), 'default', 'normal', 'plain', 0, false, ARRAY [pg_temp.job(1), pg_temp.job(3)], NULL, NULL, NULL, NULL),
       (pg_temp.job(102), 'default', 'critical', 'plain', 0, false, pg_temp.jobs(2, 2), NULL, NULL, NULL, NULL),
       (pg_temp.job(103), 'default', 'normal', 'plain', 0, false, pg_temp.jobs(4, 6), NULL, now() - interval '10 s', NULL, NULL),
       (pg_temp.job(104), 'default', 'normal', 'plain', 0, false, pg_temp.jobs(7, 9), NULL, NULL, pg_temp.old_session(), now()),
       (pg_temp.job(105), 'default', 'normal', 'plain', 0, false, pg_temp.jobs(27, 27), NULL, NULL, NULL, NULL),
       (pg_temp.job(106), 'default', 'normal', 'plain', 0, false, pg_temp.jobs(29, 29), NULL, NULL, NULL, NULL),
       (pg_temp.job(107), 'default', 'normal', 'plain', 0, false, pg_temp.jobs(30, 30), '{2}', NULL, NULL, NULL),
       (pg_temp.job(108), 'held', 'normal', 'plain', 0, true, pg_temp.jobs(21, 22), NULL, NULL, NULL, NULL),
       (pg_temp.job(109), 'limited', 'normal', 'limited', 0, true, pg_temp.jobs(24, 26), NULL, NULL, NULL, NULL);

-- 10: delayed. 11: waits for its second attempt. 31: for tomorrow.
INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, wait_reason, lease_token, attempt, run_at)
VALUES (pg_temp.job(10), 'default', 'normal', 'plain', 'scheduled', NULL, 1, 1, now() + interval '2 s'),
       (pg_temp.job(11), 'default', 'normal', 'plain', 'scheduled', 'retry', 2, 2, now() + interval '1 s'),
       (pg_temp.job(31), 'default', 'normal', 'plain', 'scheduled', NULL, 1, 1, now() + interval '1 day');

-- 12: runs. 13: runs for the second time, and has said how far it is. 14: is to be cancelled. 23: holds the place of its limit.
INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt, session, started_at, seen_at,
                                deadline, cancel_requested, progress_percent, progress_message)
VALUES (pg_temp.job(12), 'default', 'normal', 'plain', 'running', 1, 1, pg_temp.old_session(), now(), now(), now() + interval '1 h', false, NULL, NULL),
       (pg_temp.job(13), 'default', 'normal', 'plain', 'running', 2, 2, pg_temp.old_session(), now(), now(), now() + interval '1 h', false, 40, 'almost half'),
       (pg_temp.job(14), 'default', 'normal', 'plain', 'running', 1, 1, pg_temp.old_session(), now(), now(), now() + interval '1 h', true, NULL, NULL),
       (pg_temp.job(23), 'limited', 'normal', 'limited', 'running', 1, 1, pg_temp.old_session(), now(), now(), now() + interval '1 h', false, NULL, NULL);
INSERT INTO millpond.cancel_notice (job_id) VALUES (pg_temp.job(14));

-- 15, 16: dead. 20: waits for the end of a pause. 30: was rescued, and waits in a row.
INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, wait_reason, lease_token, attempt, paused_tag, losses)
VALUES (pg_temp.job(15), 'default', 'normal', 'plain', 'dead', NULL, 3, 2, NULL, 0),
       (pg_temp.job(16), 'default', 'normal', 'plain', 'dead', NULL, 2, 1, NULL, 0),
       (pg_temp.job(20), 'default', 'normal', 'plain', 'waiting', 'pause', 1, 1, 'later', 0),
       (pg_temp.job(30), 'default', 'normal', 'plain', 'runnable', NULL, 2, 1, NULL, 1);
INSERT INTO millpond.dead_letter (job_id, queue, class, kind, attempts, reason, error_type, error_message)
VALUES (pg_temp.job(15), 'default', 'normal', 'plain', 2, 'exhausted', 'java.io.IOException', 'twice'),
       (pg_temp.job(16), 'default', 'normal', 'plain', 1, 'fatal', 'dev.millpond.api.FatalJobException', 'never');
INSERT INTO millpond.job_attempt (job_id, lease_token, attempt, worker_id, started_at, ended, error_type, error_message)
VALUES (pg_temp.job(11), 1, 1, pg_temp.old_session(), now(), 'failed', 'java.io.IOException', 'once'),
       (pg_temp.job(13), 1, 1, pg_temp.old_session(), now(), 'timed_out', 'dev.millpond.Timeout', 'too slow'),
       (pg_temp.job(15), 1, 1, pg_temp.old_session(), now(), 'failed', 'java.io.IOException', 'once'),
       (pg_temp.job(15), 2, 2, pg_temp.old_session(), now(), 'failed', 'java.io.IOException', 'twice'),
       (pg_temp.job(16), 1, 1, pg_temp.old_session(), now(), 'fatal', 'dev.millpond.api.FatalJobException', 'never'),
       (pg_temp.job(30), 1, 1, pg_temp.old_session(), now(), 'rescued', 'dev.millpond.WorkerLost', 'its worker was lost');
INSERT INTO millpond.job_log (job_id, lease_token, line_no, logged_at, line)
VALUES (pg_temp.job(13), 1, 1, now(), 'a line of the first attempt');

-- 17, 19, 28: have succeeded. 18: was cancelled.
INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token, worker_id, started_at, result)
VALUES (pg_temp.job(17), 'succeeded', 1, 1, pg_temp.old_session(), now(), '"by the version before"'),
       (pg_temp.job(18), 'cancelled', 1, 1, NULL, NULL, NULL),
       (pg_temp.job(19), 'succeeded', 1, 1, pg_temp.old_session(), now(), NULL),
       (pg_temp.job(28), 'succeeded', 1, 1, pg_temp.old_session(), now(), '"by the version before"');
INSERT INTO millpond.job_result (job_id, result, expires_at)
VALUES (pg_temp.job(19), '"for an hour"', now() + interval '1 h');
INSERT INTO millpond.job_expiry (job_id, expires_at, look_at)
VALUES (pg_temp.job(29), now() + interval '1 h', now() + interval '1 h');

-- The hashes are those that the version before has made of the bodies.
INSERT INTO millpond.idempotency_key (principal, key, job_id, body_hash, expires_at)
VALUES ('default', 'open', pg_temp.job(27), decode('b63af2c1191d18608a7905d1273884524027de489be6cbb8eb6014e131596010', 'hex'), now() + interval '1 day'),
       ('default', 'ended', pg_temp.job(28), decode('3ba8d8312db0f8547a3454f2d7b536b1c394b99a721cf95a9247b66be28645b2', 'hex'), now() + interval '1 day');

-- What its operators had set.
INSERT INTO millpond.pause (scope, name, reason, paused_by)
VALUES ('queue', 'held', 'the provider is down', 'ann'), ('tag', 'later', NULL, 'bob');
INSERT INTO millpond.flow_limit (scope, name, concurrency, settled, changed_at)
VALUES ('queue', 'limited', 1, true, now() - interval '1 h');
INSERT INTO millpond.queue_flow (queue, weight) VALUES ('default', 7);
UPDATE millpond.flow_version SET version = version + 4;

INSERT INTO millpond.queue_depth (queue, class, delta, bytes)
SELECT l.queue, l.class, count(*), sum(octet_length(j.payload))
FROM (SELECT queue, class, unnest(job_ids) AS id FROM millpond.dispatch
      UNION ALL
      SELECT queue, class, job_id FROM millpond.job_state WHERE phase = 'running') AS l
JOIN millpond.job j ON j.id = l.id
GROUP BY l.queue, l.class;
