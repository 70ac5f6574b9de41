-- address: where the browser was when it signed in; empty for sessions that are older than this column.
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
-- When somebody proved last to be there. A provider's word of before says nothing of when.
ALTER TABLE sessions ADD COLUMN proved_ms INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET proved_ms = created_ms WHERE method <> 'provider';
