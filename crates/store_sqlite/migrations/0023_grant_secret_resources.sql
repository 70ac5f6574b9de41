-- What a code or a token is bound to (RFC 8707). Those that are there already are bound to nothing.
ALTER TABLE grant_secrets ADD COLUMN resources TEXT NOT NULL DEFAULT '[]';
