-- What applications are told of people (OpenID Connect), by grant.
-- subject: people.id when it was granted. proved_ms: when the person had proved to be there; NULL where nobody said.
CREATE TABLE grant_identities (
  grant_id TEXT COLLATE "C" PRIMARY KEY,
  subject TEXT NOT NULL,
  scopes TEXT[] NOT NULL,
  nonce TEXT,
  proved_ms BIGINT,
  method TEXT NOT NULL,
  factors BIGINT NOT NULL,
  kept_until_ms BIGINT NOT NULL
);
CREATE INDEX grant_identities_by_end ON grant_identities (kept_until_ms);
