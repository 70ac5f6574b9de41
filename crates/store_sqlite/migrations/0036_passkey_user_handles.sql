-- beside: 35
-- What authenticators call the owner of an account: random, and the same for all passkeys of it. NULL: a hash of the account's name, as it was before.
-- Older programs go on, and refuse whoever comes to them with a passkey that has one.
ALTER TABLE passkeys ADD COLUMN user_handle TEXT;
