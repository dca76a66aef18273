#!/bin/sh
# PostgreSQL's first start: roles, schema, Dagster's database (emag_pipeline/store/roles.sql), and the passwords.
# The image runs it once, on an empty volume. psql reads the passwords itself, so they appear on no command line.
set -eu
sed "s/{schema}/\"${DB_SCHEMA:-app}\"/g" "${ROLES_SQL:-/roles.sql}" |
  psql -X -q --username "$POSTGRES_USER" --dbname "$POSTGRES_DB"
psql -X -q -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<SQL
\set owner \`cat "${SECRETS:-/run/secrets}/owner_password"\`
\set writer \`cat "${SECRETS:-/run/secrets}/writer_password"\`
ALTER ROLE emag_owner PASSWORD :'owner';
ALTER ROLE emag_writer PASSWORD :'writer';
SQL
