-- What counts of all that was derived of a grant.
CREATE INDEX grants_living_by_parent ON grants (parent, expires_ms) WHERE parent IS NOT NULL AND revoked_ms IS NULL;
