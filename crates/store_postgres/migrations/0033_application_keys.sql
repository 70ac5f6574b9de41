-- beside: 28
-- Older programs go on: they refuse an application that has keys. Where one of them gives it a secret, only older ones take that.
-- The public keys that an application proves with who it is (RFC 7523), a list of JWKs as JSON texts. Those that are there already have none.
ALTER TABLE applications ADD COLUMN keys TEXT[] NOT NULL DEFAULT '{}';
-- Whether it is an agent, whose grants are short unless the person says otherwise.
ALTER TABLE applications ADD COLUMN agent BOOLEAN NOT NULL DEFAULT FALSE;
-- By which it is found for which application a grant was made whose record does not say it.
CREATE INDEX grant_secrets_by_grant ON grant_secrets (grant_id);
