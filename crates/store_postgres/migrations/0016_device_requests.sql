-- What devices without a browser ask for (RFC 8628), by the hashes of their codes.
-- grant_id: grants.id, once a person has granted something; denied_ms: once one has refused. used_ms: when the device was given it.
CREATE TABLE device_requests (
  device_hash TEXT COLLATE "C" PRIMARY KEY,
  user_hash TEXT COLLATE "C" NOT NULL,
  application TEXT NOT NULL,
  scopes TEXT[] NOT NULL,
  identity BOOLEAN NOT NULL,
  address TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  interval_ms BIGINT NOT NULL,
  polled_ms BIGINT,
  grant_id TEXT COLLATE "C",
  denied_ms BIGINT,
  used_ms BIGINT
);
CREATE UNIQUE INDEX device_requests_by_user ON device_requests (user_hash);
CREATE INDEX device_requests_by_end ON device_requests (expires_ms);
