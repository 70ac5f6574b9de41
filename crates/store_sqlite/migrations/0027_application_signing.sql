-- pushed_only: requests have to be pushed (RFC 9126). id_token_alg: what ID tokens are signed with.
ALTER TABLE applications ADD COLUMN pushed_only INTEGER NOT NULL DEFAULT 0;
ALTER TABLE applications ADD COLUMN id_token_alg TEXT NOT NULL DEFAULT 'ES256';
