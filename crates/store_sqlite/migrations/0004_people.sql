-- A person has one or more identities. Each identity of before is a person of its own.
CREATE TABLE people (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
  created_ms INTEGER NOT NULL,
  last_modified_ms INTEGER NOT NULL
) STRICT;
ALTER TABLE identities ADD COLUMN person TEXT NOT NULL DEFAULT '';
UPDATE identities SET person = lower(hex(randomblob(16)));
CREATE INDEX identities_by_person ON identities (person);
INSERT INTO people (id, name, disabled, created_ms, last_modified_ms)
  SELECT person, identity, 0, coalesce((SELECT created_ms FROM accounts WHERE 'local/' || name = identity), refreshed_ms), refreshed_ms FROM identities;

-- Until now everybody signed in with a password.
ALTER TABLE sessions ADD COLUMN method TEXT NOT NULL DEFAULT 'password';
ALTER TABLE sessions ADD COLUMN factors INTEGER NOT NULL DEFAULT 1;

-- session: sessions.id_hash.
CREATE TABLE pending_links (
  session TEXT PRIMARY KEY,
  identity TEXT NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT;
