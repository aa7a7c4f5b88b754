#!/bin/sh
# Makes the role of processes that do no maintenance; the postgres image runs it once, when it makes its data directory.
set -eu
psql --no-psqlrc -v ON_ERROR_STOP=1 -v "password=$MILLPOND_APP_PASSWORD" -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
CREATE ROLE millpond_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT 150 PASSWORD :'password';
SQL
