-- What a provider says of somebody may be asked again without them.
ALTER TABLE identities ADD COLUMN username TEXT;
ALTER TABLE identities ADD COLUMN gone INTEGER NOT NULL DEFAULT 0 CHECK (gone IN (0, 1));
ALTER TABLE identities ADD COLUMN additions TEXT NOT NULL DEFAULT '[]';

-- handle: what the provider wants to see when it is asked again, sealed.
CREATE TABLE refreshes (
  identity TEXT PRIMARY KEY,
  handle BLOB,
  due_ms INTEGER NOT NULL,
  claimed_until_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX refreshes_by_due ON refreshes (due_ms);
