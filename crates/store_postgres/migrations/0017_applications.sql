-- Applications that ask people for grants by OAuth 2, beside those of the configuration.
-- secret_hash: SHA-256 in hexadecimal digits; the secret is stored nowhere. old_secret_hash counts until old_secret_ends_ms.
-- remember_ms: for how long consent is remembered at most; 0: people are asked each time.
CREATE TABLE applications (
  id TEXT COLLATE "C" PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  owner TEXT NOT NULL,
  redirect_uris TEXT[] NOT NULL,
  scopes TEXT[] NOT NULL,
  max_life_ms BIGINT NOT NULL,
  confidential BOOLEAN NOT NULL,
  secret_hash TEXT,
  secret_made_ms BIGINT,
  old_secret_hash TEXT,
  old_secret_ends_ms BIGINT,
  remember_ms BIGINT NOT NULL,
  skip_consent BOOLEAN NOT NULL,
  created_ms BIGINT NOT NULL,
  last_modified_ms BIGINT NOT NULL
);
-- What people need not be asked once more. redirect_uri: where the answer went.
CREATE TABLE consents (
  identity TEXT COLLATE "C" NOT NULL,
  application TEXT COLLATE "C" NOT NULL,
  redirect_uri TEXT NOT NULL,
  scopes TEXT[] NOT NULL,
  life_ms BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  PRIMARY KEY (identity, application)
);
CREATE INDEX consents_by_application ON consents (application);
CREATE INDEX consents_by_end ON consents (expires_ms);
