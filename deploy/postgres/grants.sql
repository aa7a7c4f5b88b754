-- What the role millpond_app may do: that of processes which do no maintenance (api, worker). It reads and writes rows; it cannot change
-- tables, nor what the audit has. Run by the owner of the schema after each migration (the role of `millpond migrate` and of the
-- maintenance, which makes and drops partitions). Safe to repeat.
GRANT USAGE ON SCHEMA millpond TO millpond_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA millpond TO millpond_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA millpond TO millpond_app;
REVOKE INSERT, UPDATE, DELETE ON millpond.flyway_schema_history FROM millpond_app;
REVOKE UPDATE, DELETE ON millpond.audit FROM millpond_app;
