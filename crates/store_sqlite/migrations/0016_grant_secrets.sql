-- Authorization codes and access tokens of OAuth 2, by their hashes.
-- kind: code, access-token. grant_id: grants.id; what a secret gives ends with the grant.
-- kept_until_ms: a code that was used stays until then, so that a second use is noticed.
CREATE TABLE grant_secrets (
  hash TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  grant_id TEXT NOT NULL,
  application TEXT NOT NULL,
  redirect_uri TEXT NOT NULL,
  challenge TEXT,
  expires_ms INTEGER NOT NULL,
  kept_until_ms INTEGER NOT NULL,
  used_ms INTEGER
) STRICT;
CREATE INDEX grant_secrets_by_end ON grant_secrets (kept_until_ms);
