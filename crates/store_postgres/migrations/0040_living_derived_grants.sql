-- beside: 34
-- What counts of all that was derived of a grant. Older programs go on, without using it.
CREATE INDEX grants_living_by_parent ON grants (parent, expires_ms) WHERE parent IS NOT NULL AND revoked_ms IS NULL;
