-- What devices without a browser ask for (RFC 8628), by the hashes of their codes.
-- grant_id: grants.id, once a person has granted something; denied_ms: once one has refused. used_ms: when the device was given it.
CREATE TABLE device_requests (
  device_hash TEXT PRIMARY KEY,
  user_hash TEXT NOT NULL,
  application TEXT NOT NULL,
  scopes TEXT NOT NULL,
  identity INTEGER NOT NULL,
  address TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  interval_ms INTEGER NOT NULL,
  polled_ms INTEGER,
  grant_id TEXT,
  denied_ms INTEGER,
  used_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX device_requests_by_user ON device_requests (user_hash);
CREATE INDEX device_requests_by_end ON device_requests (expires_ms);
