-- What people sign in with, apart from their accounts. account: accounts.name.
-- hash is sealed, as accounts.password_hash was and for the same place: what was sealed there opens here.
CREATE TABLE passwords (
  account TEXT PRIMARY KEY,
  hash BLOB NOT NULL
) STRICT;
INSERT INTO passwords (account, hash) SELECT name, password_hash FROM accounts WHERE password_hash IS NOT NULL;
ALTER TABLE accounts DROP COLUMN password_hash;

-- id: what the authenticator calls it, in base64url. public_key: a COSE_Key, and no secret.
CREATE TABLE passkeys (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  public_key BLOB NOT NULL,
  counter INTEGER NOT NULL,
  transports TEXT NOT NULL,
  aaguid TEXT NOT NULL,
  resident INTEGER NOT NULL CHECK (resident IN (0, 1)),
  label TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  last_used_ms INTEGER
) STRICT;
CREATE INDEX passkeys_by_account ON passkeys (account, created_ms);

-- id: <account>/<number>. hash is sealed.
CREATE TABLE recovery_codes (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  position INTEGER NOT NULL,
  hash BLOB NOT NULL,
  created_ms INTEGER NOT NULL,
  used_ms INTEGER
) STRICT;
CREATE INDEX recovery_codes_by_account ON recovery_codes (account, position);
