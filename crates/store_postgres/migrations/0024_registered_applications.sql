-- beside: 23
-- Applications that have registered themselves (RFC 7591), which takes a setting that older programs do not know.
-- registration_hash: of the token with which such a one is read, changed and deleted; NULL: an administrator has registered it.
-- initial_token: initial_tokens.id; NULL: none was needed. granted_ms: when somebody granted it something last, to the day.
ALTER TABLE applications ADD COLUMN registration_hash TEXT;
ALTER TABLE applications ADD COLUMN initial_token TEXT;
ALTER TABLE applications ADD COLUMN granted_ms BIGINT;
-- What applications register themselves with. hash: of the token, which is stored nowhere. uses of max_uses are over.
-- owner: of what is registered. scopes, max_life_ms: the most that it may ask for.
CREATE TABLE initial_tokens (
  id TEXT COLLATE "C" PRIMARY KEY,
  hash TEXT NOT NULL,
  description TEXT NOT NULL,
  created_by TEXT NOT NULL,
  owner TEXT NOT NULL,
  scopes TEXT[] NOT NULL,
  max_life_ms BIGINT NOT NULL,
  max_uses BIGINT NOT NULL,
  uses BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL
);
CREATE INDEX initial_tokens_by_hash ON initial_tokens (hash);
CREATE INDEX grant_secrets_by_application ON grant_secrets (application);
