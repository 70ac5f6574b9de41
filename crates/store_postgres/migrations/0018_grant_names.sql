-- What the person calls a grant. Those that are there already have no name.
ALTER TABLE grants ADD COLUMN name TEXT;
