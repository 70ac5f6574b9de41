-- Applications that ask people for grants by OAuth 2, beside those of the configuration.
-- secret_hash: SHA-256 in hexadecimal digits; the secret is stored nowhere. old_secret_hash counts until old_secret_ends_ms.
-- remember_ms: for how long consent is remembered at most; 0: people are asked each time.
CREATE TABLE applications (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  owner TEXT NOT NULL,
  redirect_uris TEXT NOT NULL,
  scopes TEXT NOT NULL,
  max_life_ms INTEGER NOT NULL,
  confidential INTEGER NOT NULL CHECK (confidential IN (0, 1)),
  secret_hash TEXT,
  secret_made_ms INTEGER,
  old_secret_hash TEXT,
  old_secret_ends_ms INTEGER,
  remember_ms INTEGER NOT NULL,
  skip_consent INTEGER NOT NULL CHECK (skip_consent IN (0, 1)),
  created_ms INTEGER NOT NULL,
  last_modified_ms INTEGER NOT NULL
) STRICT;
-- What people need not be asked once more. redirect_uri: where the answer went.
CREATE TABLE consents (
  identity TEXT NOT NULL,
  application TEXT NOT NULL,
  redirect_uri TEXT NOT NULL,
  scopes TEXT NOT NULL,
  life_ms INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  PRIMARY KEY (identity, application)
) STRICT, WITHOUT ROWID;
CREATE INDEX consents_by_application ON consents (application);
CREATE INDEX consents_by_end ON consents (expires_ms);
