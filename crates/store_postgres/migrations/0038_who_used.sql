-- beside: 35
-- Which call used a code, a token or a device's request: where its answer is lost, whoever asks again learns whether it was that one.
ALTER TABLE grant_secrets ADD COLUMN used_by TEXT;
ALTER TABLE device_requests ADD COLUMN used_by TEXT;
