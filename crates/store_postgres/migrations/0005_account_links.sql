-- Links with which a local account gets a password; one an account.
-- kind: invitation, reset; within: scopes, or nothing.
CREATE TABLE account_links (
  hash TEXT COLLATE "C" PRIMARY KEY,
  account TEXT COLLATE "C" NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  made_by TEXT NOT NULL,
  within TEXT[],
  password TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL
);
