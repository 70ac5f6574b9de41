-- The feed says what happened to a record: 'created', 'updated' or 'deleted'. Nobody knows it of older rows, so these go: a follower or a
-- decision from before reads everything again, as after any pruning.
DELETE FROM changes;
UPDATE meta SET feed_floor = revision;
ALTER TABLE changes ADD COLUMN what TEXT NOT NULL DEFAULT 'updated' CHECK (what IN ('created', 'updated', 'deleted'));

-- What is older than an instant is looked for when the history is pruned.
CREATE INDEX audit_by_time ON audit (at_ms, id);
