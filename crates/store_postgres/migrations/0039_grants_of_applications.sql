-- beside: 34
-- Grants by the application that they were made for: whoever deletes one that has registered itself ends them. Older programs go on, without knowing of it.
CREATE INDEX grants_by_application ON grants (application) WHERE application IS NOT NULL AND revoked_ms IS NULL;
