-- What people sign in with, apart from their accounts. account: accounts.name.
-- hash is sealed, as accounts.password_hash was and for the same place: what was sealed there opens here.
CREATE TABLE passwords (
  account TEXT COLLATE "C" PRIMARY KEY,
  hash BYTEA NOT NULL
);
INSERT INTO passwords (account, hash) SELECT name, password_hash FROM accounts WHERE password_hash IS NOT NULL;
ALTER TABLE accounts DROP COLUMN password_hash;

-- id: what the authenticator calls it, in base64url. public_key: a COSE_Key, and no secret.
CREATE TABLE passkeys (
  id TEXT COLLATE "C" PRIMARY KEY,
  account TEXT COLLATE "C" NOT NULL,
  public_key BYTEA NOT NULL,
  counter BIGINT NOT NULL,
  transports TEXT[] NOT NULL,
  aaguid TEXT NOT NULL,
  resident BOOLEAN NOT NULL,
  label TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  last_used_ms BIGINT
);
CREATE INDEX passkeys_by_account ON passkeys (account, created_ms);

-- id: <account>/<number>. hash is sealed.
CREATE TABLE recovery_codes (
  id TEXT COLLATE "C" PRIMARY KEY,
  account TEXT COLLATE "C" NOT NULL,
  position BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  created_ms BIGINT NOT NULL,
  used_ms BIGINT
);
CREATE INDEX recovery_codes_by_account ON recovery_codes (account, position);
