-- The network that an application registered itself from, where nothing was needed for that and nobody has granted it anything yet. NULL: it no longer matters.
ALTER TABLE applications ADD COLUMN registered_from TEXT;
