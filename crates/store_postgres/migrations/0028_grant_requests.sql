-- application: the application that a grant was made for. widens: the grant whose holder asked for more and got this one.
ALTER TABLE grants ADD COLUMN application TEXT;
ALTER TABLE grants ADD COLUMN widens TEXT;
CREATE INDEX grants_by_widened ON grants (widens) WHERE widens IS NOT NULL;
-- for_grant: the grant more than which is asked for; NULL where a device asks. reason: why, or what a device's grant is for. life_ms: for how long; jkt: the key of the token that asked; both only beside for_grant.
ALTER TABLE device_requests ADD COLUMN for_grant TEXT;
ALTER TABLE device_requests ADD COLUMN reason TEXT;
ALTER TABLE device_requests ADD COLUMN life_ms BIGINT;
ALTER TABLE device_requests ADD COLUMN jkt TEXT;
CREATE INDEX device_requests_by_grant ON device_requests (for_grant) WHERE for_grant IS NOT NULL;
