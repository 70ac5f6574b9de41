-- Grants that were revoked a short while ago, for services that verify tokens by themselves. Nobody relies on who writes them.
CREATE INDEX grants_by_revocation ON grants (revoked_ms) WHERE revoked_ms IS NOT NULL;
