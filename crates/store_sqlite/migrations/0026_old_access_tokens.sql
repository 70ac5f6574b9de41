-- The access token that a client had before the present one, sealed, and until when it counts beside it, milliseconds since 1970. NULL: none counts.
-- A program that does not know the columns would leave an old token where it sets another one: none may go on beside this file.
ALTER TABLE clients ADD COLUMN old_access_token BLOB;
ALTER TABLE clients ADD COLUMN old_token_ends_ms INTEGER;
