-- Everything that Falconer keeps. Times are milliseconds since 1970, but for clients.expires_us. Text compares by its bytes, whatever the
-- database's own collation is. A column that is said to be sealed holds what falconer_store::KeyRing made of the text, bound to table,
-- column and primary key. There are no foreign keys between aggregates: history outlives what it speaks of, and one aggregate is one page of SQL.
--
-- A column that ends in _hash holds the SHA-256 of the text beside it: ids of clients and roles may be longer than what an index can hold.

-- One row; whoever takes a step holds its lock until the commit, so that revisions become visible in order. highest_ms: the highest time of any
-- committed step. feed_floor: rows of `changes` up to this revision may have been pruned.
CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  revision BIGINT NOT NULL,
  highest_ms BIGINT NOT NULL,
  feed_floor BIGINT NOT NULL
);
INSERT INTO meta (id, revision, highest_ms, feed_floor) VALUES (1, 0, 0, 0);

-- The change feed. By revision, because the question is always "anything of this since then?", and "then" is recent.
CREATE TABLE changes (
  revision BIGINT NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  key_hash BYTEA NOT NULL,
  at_ms BIGINT NOT NULL,
  what TEXT COLLATE "C" NOT NULL CHECK (what IN ('created', 'updated', 'deleted')),
  PRIMARY KEY (revision, kind, key_hash)
);

CREATE TABLE audit (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  revision BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  actor_hash BYTEA NOT NULL,
  grant_id TEXT COLLATE "C",
  action TEXT NOT NULL,
  entity_type TEXT COLLATE "C" NOT NULL,
  entity_id TEXT COLLATE "C" NOT NULL,
  entity_hash BYTEA NOT NULL,
  detail TEXT
);
CREATE INDEX audit_by_entity ON audit (entity_type, entity_hash, id);
CREATE INDEX audit_by_actor ON audit (actor_hash, id);
CREATE INDEX audit_by_grant ON audit (grant_id, id) WHERE grant_id IS NOT NULL;
CREATE INDEX audit_by_time ON audit (at_ms, id);

-- access_token is sealed.
CREATE TABLE clients (
  id_hash BYTEA PRIMARY KEY,
  client_id TEXT COLLATE "C" NOT NULL,
  description TEXT NOT NULL,
  access_token BYTEA NOT NULL,
  expires_us BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  last_modified_ms BIGINT NOT NULL,
  last_date_used_ms BIGINT NOT NULL,
  last_rotated_ms BIGINT NOT NULL,
  delete_on_expiration BOOLEAN NOT NULL,
  scopes TEXT[] NOT NULL,
  disabled BOOLEAN NOT NULL,
  grant_id TEXT
);

CREATE TABLE roles (
  id_hash BYTEA PRIMARY KEY,
  role_id TEXT COLLATE "C" NOT NULL,
  scopes TEXT[] NOT NULL,
  description TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  last_modified_ms BIGINT NOT NULL
);

-- token is sealed.
CREATE TABLE issuers (
  name TEXT COLLATE "C" PRIMARY KEY,
  token BYTEA NOT NULL,
  created_ms BIGINT NOT NULL,
  retired_ms BIGINT
);

-- number: in the order in which grants were made, where their times are the same.
CREATE TABLE grants (
  id TEXT COLLATE "C" PRIMARY KEY,
  number BIGINT GENERATED ALWAYS AS IDENTITY,
  identity TEXT COLLATE "C" NOT NULL,
  target TEXT NOT NULL,
  target_origin TEXT NOT NULL,
  client_id TEXT NOT NULL,
  scopes TEXT[] NOT NULL,
  everything BOOLEAN NOT NULL,
  identity_for TEXT[] NOT NULL,
  created_ms BIGINT NOT NULL,
  start_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  issuer TEXT NOT NULL,
  seed TEXT NOT NULL,
  nonce TEXT COLLATE "C" NOT NULL,
  choices TEXT NOT NULL,
  label TEXT NOT NULL,
  last_used_ms BIGINT,
  use_count BIGINT NOT NULL,
  revoked_ms BIGINT,
  revoked_by TEXT,
  reason TEXT
);
CREATE INDEX grants_by_identity ON grants (identity, created_ms);
CREATE INDEX grants_by_end ON grants (expires_ms);
CREATE INDEX grants_by_nonce ON grants (identity, nonce);
-- Of two presses of one button, one makes a grant.
CREATE UNIQUE INDEX grants_once_a_nonce ON grants (identity, nonce) WHERE revoked_ms IS NULL AND nonce <> '';

CREATE TABLE identities (
  identity TEXT COLLATE "C" PRIMARY KEY,
  provider TEXT NOT NULL,
  subject TEXT NOT NULL,
  display_name TEXT NOT NULL,
  email TEXT,
  email_verified BOOLEAN NOT NULL,
  groups TEXT[] NOT NULL,
  scopes TEXT[] NOT NULL,
  refreshed_ms BIGINT NOT NULL,
  disabled BOOLEAN NOT NULL
);

-- password_hash is sealed.
CREATE TABLE accounts (
  name TEXT COLLATE "C" PRIMARY KEY,
  display_name TEXT NOT NULL,
  email TEXT,
  password_hash BYTEA,
  groups TEXT[] NOT NULL,
  scopes TEXT[] NOT NULL,
  disabled BOOLEAN NOT NULL,
  deleted BOOLEAN NOT NULL,
  created_ms BIGINT NOT NULL,
  last_modified_ms BIGINT NOT NULL
);

CREATE TABLE setup_links (
  hash TEXT COLLATE "C" PRIMARY KEY,
  expires_ms BIGINT NOT NULL,
  used_ms BIGINT
);

-- csrf is sealed. number: as in grants.
CREATE TABLE sessions (
  id_hash TEXT COLLATE "C" PRIMARY KEY,
  number BIGINT GENERATED ALWAYS AS IDENTITY,
  identity TEXT COLLATE "C" NOT NULL,
  csrf BYTEA NOT NULL,
  created_ms BIGINT NOT NULL,
  last_seen_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  user_agent TEXT NOT NULL
);
CREATE INDEX sessions_by_identity ON sessions (identity, created_ms);

CREATE TABLE remembered_origins (
  identity TEXT COLLATE "C" NOT NULL,
  origin TEXT COLLATE "C" NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (identity, origin)
);

-- until_ms: from then on no window can hold the row.
CREATE TABLE attempts (
  key TEXT COLLATE "C" NOT NULL,
  at_ms BIGINT NOT NULL,
  until_ms BIGINT NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (key, at_ms)
);
