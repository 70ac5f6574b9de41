-- Whether a link was made to be mailed. Of those that are there already it is not known; they end within a week.
ALTER TABLE account_links ADD COLUMN mailed INTEGER NOT NULL DEFAULT 0;
