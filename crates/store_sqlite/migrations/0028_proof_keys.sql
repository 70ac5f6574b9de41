-- The key that a code or a token is bound to (RFC 9449), as the thumbprint of RFC 7638. Those that are there already are bound to none.
ALTER TABLE grant_secrets ADD COLUMN jkt TEXT;
-- Whether an application gets no token that is bound to none.
ALTER TABLE applications ADD COLUMN dpop_bound_access_tokens INTEGER NOT NULL DEFAULT 0;
