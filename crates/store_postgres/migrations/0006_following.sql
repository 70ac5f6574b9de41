-- What a provider says of somebody may be asked again without them.
ALTER TABLE identities ADD COLUMN username TEXT;
ALTER TABLE identities ADD COLUMN gone BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE identities ADD COLUMN additions TEXT NOT NULL DEFAULT '[]';

-- handle: what the provider wants to see when it is asked again, sealed.
CREATE TABLE refreshes (
  identity TEXT COLLATE "C" PRIMARY KEY,
  handle BYTEA,
  due_ms BIGINT NOT NULL,
  claimed_until_ms BIGINT NOT NULL
);
CREATE INDEX refreshes_by_due ON refreshes (due_ms);
