-- Which history of the database the revisions belong to, and the revision where it began: falconer_store::History.
ALTER TABLE meta ADD COLUMN epoch TEXT NOT NULL DEFAULT '';
ALTER TABLE meta ADD COLUMN epoch_start INTEGER NOT NULL DEFAULT 0;
UPDATE meta SET epoch = lower(hex(randomblob(8)));
