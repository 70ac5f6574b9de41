-- Which history of the database the revisions belong to, and the revision where it began: falconer_store::History.
ALTER TABLE meta ADD COLUMN epoch TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE meta ADD COLUMN epoch_start BIGINT NOT NULL DEFAULT 0;
UPDATE meta SET epoch = substr(replace(gen_random_uuid()::text, '-', ''), 17);
