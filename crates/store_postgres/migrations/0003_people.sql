-- A person has one or more identities. Each identity of before is a person of its own.
CREATE TABLE people (
  id TEXT COLLATE "C" PRIMARY KEY,
  name TEXT COLLATE "C" NOT NULL,
  disabled BOOLEAN NOT NULL,
  created_ms BIGINT NOT NULL,
  last_modified_ms BIGINT NOT NULL
);
ALTER TABLE identities ADD COLUMN person TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE identities SET person = replace(gen_random_uuid()::text, '-', '');
ALTER TABLE identities ALTER COLUMN person DROP DEFAULT;
CREATE INDEX identities_by_person ON identities (person);
INSERT INTO people (id, name, disabled, created_ms, last_modified_ms)
  SELECT person, identity, false, coalesce((SELECT created_ms FROM accounts WHERE 'local/' || name = identity), refreshed_ms), refreshed_ms FROM identities;

-- Until now everybody signed in with a password.
ALTER TABLE sessions ADD COLUMN method TEXT NOT NULL DEFAULT 'password';
ALTER TABLE sessions ADD COLUMN factors INTEGER NOT NULL DEFAULT 1;

-- session: sessions.id_hash.
CREATE TABLE pending_links (
  session TEXT COLLATE "C" PRIMARY KEY,
  identity TEXT COLLATE "C" NOT NULL,
  expires_ms BIGINT NOT NULL
);
