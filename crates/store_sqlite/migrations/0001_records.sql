-- Everything that Falconer keeps. Times are milliseconds since 1970, but for clients.expires_us. Lists are JSON arrays of strings.
-- A column that is said to be sealed holds what falconer_store::KeyRing made of the text, bound to table, column and primary key.
-- There are no foreign keys between aggregates: history outlives what it speaks of, and one aggregate is one page of SQL.

-- One row. highest_ms: the highest time of any committed step. feed_floor: rows of `changes` up to this revision may have been pruned.
CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  revision INTEGER NOT NULL,
  highest_ms INTEGER NOT NULL,
  feed_floor INTEGER NOT NULL
) STRICT;
INSERT INTO meta (id, revision, highest_ms, feed_floor) VALUES (1, 0, 0, 0);

-- The change feed. By revision, because the question is always "anything of this since then?", and "then" is recent.
CREATE TABLE changes (
  revision INTEGER NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (revision, kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  revision INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  grant_id TEXT,
  action TEXT NOT NULL,
  entity_type TEXT NOT NULL,
  entity_id TEXT NOT NULL,
  detail TEXT
) STRICT;
CREATE INDEX audit_by_entity ON audit (entity_type, entity_id, id);
CREATE INDEX audit_by_actor ON audit (actor, id);
CREATE INDEX audit_by_grant ON audit (grant_id, id) WHERE grant_id IS NOT NULL;

-- access_token is sealed.
CREATE TABLE clients (
  client_id TEXT PRIMARY KEY,
  description TEXT NOT NULL,
  access_token BLOB NOT NULL,
  expires_us INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  last_modified_ms INTEGER NOT NULL,
  last_date_used_ms INTEGER NOT NULL,
  last_rotated_ms INTEGER NOT NULL,
  delete_on_expiration INTEGER NOT NULL CHECK (delete_on_expiration IN (0, 1)),
  scopes TEXT NOT NULL,
  disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
  grant_id TEXT
) STRICT;

CREATE TABLE roles (
  role_id TEXT PRIMARY KEY,
  scopes TEXT NOT NULL,
  description TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  last_modified_ms INTEGER NOT NULL
) STRICT;

-- token is sealed.
CREATE TABLE issuers (
  name TEXT PRIMARY KEY,
  token BLOB NOT NULL,
  created_ms INTEGER NOT NULL,
  retired_ms INTEGER
) STRICT;

CREATE TABLE grants (
  id TEXT PRIMARY KEY,
  identity TEXT NOT NULL,
  target TEXT NOT NULL,
  target_origin TEXT NOT NULL,
  client_id TEXT NOT NULL,
  scopes TEXT NOT NULL,
  everything INTEGER NOT NULL CHECK (everything IN (0, 1)),
  identity_for TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  start_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  issuer TEXT NOT NULL,
  seed TEXT NOT NULL,
  nonce TEXT NOT NULL,
  choices TEXT NOT NULL,
  label TEXT NOT NULL,
  last_used_ms INTEGER,
  use_count INTEGER NOT NULL,
  revoked_ms INTEGER,
  revoked_by TEXT,
  reason TEXT
) STRICT;
CREATE INDEX grants_by_identity ON grants (identity, created_ms);
CREATE INDEX grants_by_end ON grants (expires_ms);
CREATE INDEX grants_by_nonce ON grants (identity, nonce);
-- Of two presses of one button, one makes a grant.
CREATE UNIQUE INDEX grants_once_a_nonce ON grants (identity, nonce) WHERE revoked_ms IS NULL AND nonce <> '';

CREATE TABLE identities (
  identity TEXT PRIMARY KEY,
  provider TEXT NOT NULL,
  subject TEXT NOT NULL,
  display_name TEXT NOT NULL,
  email TEXT,
  email_verified INTEGER NOT NULL CHECK (email_verified IN (0, 1)),
  groups TEXT NOT NULL,
  scopes TEXT NOT NULL,
  refreshed_ms INTEGER NOT NULL,
  disabled INTEGER NOT NULL CHECK (disabled IN (0, 1))
) STRICT;

-- password_hash is sealed.
CREATE TABLE accounts (
  name TEXT PRIMARY KEY,
  display_name TEXT NOT NULL,
  email TEXT,
  password_hash BLOB,
  groups TEXT NOT NULL,
  scopes TEXT NOT NULL,
  disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
  deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
  created_ms INTEGER NOT NULL,
  last_modified_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE setup_links (
  hash TEXT PRIMARY KEY,
  expires_ms INTEGER NOT NULL,
  used_ms INTEGER
) STRICT;

-- csrf is sealed.
CREATE TABLE sessions (
  id_hash TEXT PRIMARY KEY,
  identity TEXT NOT NULL,
  csrf BLOB NOT NULL,
  created_ms INTEGER NOT NULL,
  last_seen_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  user_agent TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_by_identity ON sessions (identity, created_ms);

CREATE TABLE remembered_origins (
  identity TEXT NOT NULL,
  origin TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (identity, origin)
) STRICT, WITHOUT ROWID;

-- until_ms: from then on no window can hold the row.
CREATE TABLE attempts (
  key TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (key, at_ms)
) STRICT, WITHOUT ROWID;
