-- Links with which a local account gets a password; one an account.
-- kind: invitation, reset; within: a JSON array of scopes, or nothing.
CREATE TABLE account_links (
  hash TEXT PRIMARY KEY,
  account TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  made_by TEXT NOT NULL,
  within TEXT,
  password TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT;
