-- Fills an empty Millpond with :jobs jobs over seven days up to now, the newest tenth of them runnable,
-- the rest mostly succeeded. Depends on nothing but the number and the moment: the same again for the
-- same two. The books of what comes out are clean. The placeholder of the number is replaced by the loader.

SELECT setseed(0.5);

SELECT millpond.ensure_partitions((now() AT TIME ZONE 'UTC')::date + d) FROM generate_series(-8, 3) AS d;

-- One row for each job: what it is and what has become of it.
CREATE UNLOGGED TABLE millpond.generated AS
SELECT n,
       (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
           || '7' || substr(h, 1, 3) || '8' || substr(h, 4, 15))::uuid AS id,
       at,
       CASE
           WHEN n > :jobs - :jobs / 10 THEN CASE WHEN f < 10 THEN 'given-back' ELSE 'runnable' END
           WHEN f < 20 THEN 'cancelled'
           WHEN f < 30 THEN 'dead'
           WHEN f < 40 THEN 'retrying'
           WHEN f < 48 THEN 'delayed'
           WHEN f < 49 THEN 'waiting'
           WHEN f = 49 AND n % 5 = 0 THEN 'running'
           WHEN f < 80 THEN 'succeeded-later'
           ELSE 'succeeded' END AS fate,
       CASE WHEN q < 6000 THEN 'default' WHEN q < 8500 THEN 'mail' WHEN q < 9999 THEN 'images' ELSE 'rare' END AS queue,
       CASE WHEN q % 10 = 0 THEN 'critical' WHEN q % 10 < 3 THEN 'high' ELSE 'normal' END AS class,
       CASE WHEN q < 6000 THEN 'report.build' WHEN q < 8500 THEN 'mail.send' ELSE 'image.resize' END AS kind
FROM (SELECT n, md5(n::text) AS h, now() - interval '7 days' * (1 - n::float8 / :jobs) AS at,
             (hashint8(n) & 1048575) % 1000 AS f, (hashint8(n + 1000000007) & 1048575) % 10000 AS q
      FROM generate_series(1, :jobs) AS n) AS g;

INSERT INTO millpond.job (id, queue, class, kind, payload, options, created_at)
SELECT id, queue, class, kind,
       '{"customer":' || n % 100000 || ',"size":' || n % 5000 || ',"name":"file-' || n
           || '.png","address":{"city":"' || substr(md5((n % 1000)::text), 1, 12) || '"},"parts":[1,2,3]}',
       CASE n % 20
           WHEN 0 THEN '{"tags":["tenant-' || n % 1000 || '","import"]}'
           WHEN 1 THEN '{"maxAttempts":5}' END,
       at
FROM millpond.generated ORDER BY n;

INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token, started_at, ended_at, result)
SELECT id, CASE fate WHEN 'cancelled' THEN fate ELSE 'succeeded' END,
       CASE fate WHEN 'succeeded-later' THEN 2 ELSE 1 END, CASE fate WHEN 'succeeded-later' THEN 2 ELSE 1 END,
       CASE fate WHEN 'cancelled' THEN NULL ELSE at + interval '1 second' END, at + interval '2 seconds',
       CASE WHEN fate <> 'cancelled' AND n % 4 = 0 THEN '{"done":' || n || '}' END
FROM millpond.generated WHERE fate IN ('succeeded', 'succeeded-later', 'cancelled') ORDER BY n;

INSERT INTO millpond.job_attempt
       (job_id, lease_token, attempt, started_at, ended_at, ended, error_type, error_message, error_stack)
SELECT id, a, a, at + a * interval '1 minute', at + a * interval '61 seconds', 'failed',
       CASE n % 3 WHEN 0 THEN 'java.net.ConnectException' WHEN 1 THEN 'java.io.IOException'
           ELSE 'com.example.PaymentRefused' END,
       'attempt ' || a || ' of job ' || n || ' got no answer from host-' || n % 500,
       repeat('	at com.example.Client.call(Client.java:42)' || chr(10), 20)
FROM millpond.generated, generate_series(1, CASE fate WHEN 'dead' THEN 3 ELSE 1 END) AS a
WHERE fate IN ('dead', 'retrying', 'succeeded-later') ORDER BY n, a;

INSERT INTO millpond.job_state
       (job_id, queue, class, kind, phase, wait_reason, lease_token, attempt, run_at, session, started_at, seen_at,
        deadline)
SELECT id, queue, class, kind,
       CASE fate WHEN 'retrying' THEN 'scheduled' WHEN 'delayed' THEN 'scheduled' WHEN 'given-back' THEN 'runnable'
           ELSE fate END,
       CASE fate WHEN 'retrying' THEN 'retry' WHEN 'waiting' THEN 'limit' END,
       CASE fate WHEN 'dead' THEN 4 WHEN 'retrying' THEN 2 WHEN 'given-back' THEN 2 ELSE 1 END,
       CASE fate WHEN 'dead' THEN 3 WHEN 'retrying' THEN 2 ELSE 1 END,
       CASE WHEN fate IN ('retrying', 'delayed') THEN now() + interval '30 days' END,
       CASE fate WHEN 'running' THEN (repeat('0', 31) || n % 8)::uuid END,
       CASE fate WHEN 'running' THEN now() END, CASE fate WHEN 'running' THEN now() END,
       CASE fate WHEN 'running' THEN now() + interval '1 hour' END
FROM millpond.generated
WHERE fate IN ('dead', 'retrying', 'delayed', 'waiting', 'running', 'given-back') ORDER BY n;

INSERT INTO millpond.dead_letter
       (job_id, queue, class, kind, attempts, reason, error_type, error_message, error_stack, dead_at)
SELECT g.id, queue, class, kind, 3, 'exhausted', error_type, error_message, error_stack, at + interval '4 minutes'
FROM millpond.generated g JOIN millpond.job_attempt a ON a.job_id = g.id AND a.lease_token = 3
WHERE fate = 'dead' ORDER BY n;

-- The backlog in batches of 64 of one queue, class and kind.
INSERT INTO millpond.dispatch (id, queue, class, kind, shard, job_ids, tokens, created_at)
SELECT (lpad(to_hex((extract(epoch FROM max(at)) * 1000)::bigint + 1), 12, '0')
           || '7' || substr(md5(min(n)::text), 1, 3) || '8' || substr(md5(min(n)::text), 4, 15))::uuid,
       queue, class, kind, 0, array_agg(id ORDER BY n),
       array_agg(CASE fate WHEN 'given-back' THEN 2 ELSE 1 END ORDER BY n), max(at)
FROM (SELECT *, row_number() OVER (PARTITION BY queue, class, kind ORDER BY n) / 64 AS batch
      FROM millpond.generated WHERE fate IN ('runnable', 'given-back')) AS b
GROUP BY queue, class, kind, batch ORDER BY 1;

INSERT INTO millpond.queue_depth (queue, class, delta, bytes)
SELECT j.queue, j.class, count(*), sum(octet_length(j.payload))
FROM millpond.generated g JOIN millpond.job j ON j.id = g.id
WHERE g.fate IN ('runnable', 'given-back', 'running') GROUP BY j.queue, j.class;

INSERT INTO millpond.queue (name) SELECT DISTINCT queue FROM millpond.generated ON CONFLICT DO NOTHING;

DROP TABLE millpond.generated;

VACUUM ANALYZE;
