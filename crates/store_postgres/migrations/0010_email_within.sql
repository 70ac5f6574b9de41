-- What whoever wrote an account's address could do then; nothing: they stood on the server's machine.
-- Who wrote an address that is there already is not known: links for it open nothing that is more than a name.
ALTER TABLE accounts ADD COLUMN email_within TEXT[];
UPDATE accounts SET email_within = '{}';
