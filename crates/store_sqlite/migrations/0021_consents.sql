-- What has to be the same for a consent to count: the person, where the answer goes, what else was told of the person, and what the application was then.
ALTER TABLE consents ADD COLUMN person TEXT NOT NULL DEFAULT '';
ALTER TABLE consents ADD COLUMN target_origin TEXT NOT NULL DEFAULT '';
ALTER TABLE consents ADD COLUMN identity_scopes TEXT NOT NULL DEFAULT '[]';
ALTER TABLE consents ADD COLUMN basis TEXT NOT NULL DEFAULT '';
