-- parent: the grant that one was derived from; NULL where a person pressed Grant. purpose: what it is for, in the words of who asked.
ALTER TABLE grants ADD COLUMN parent TEXT;
ALTER TABLE grants ADD COLUMN purpose TEXT;
CREATE INDEX grants_by_parent ON grants (parent) WHERE parent IS NOT NULL;
