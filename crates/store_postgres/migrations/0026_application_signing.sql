-- beside: 25
-- pushed_only: requests have to be pushed (RFC 9126). id_token_alg: what ID tokens are signed with.
-- Older programs go on: they sign by ES256, and take requests that were not pushed.
ALTER TABLE applications ADD COLUMN pushed_only BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE applications ADD COLUMN id_token_alg TEXT NOT NULL DEFAULT 'ES256';
