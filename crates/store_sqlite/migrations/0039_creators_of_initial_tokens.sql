-- What created_by names: 'client' or 'person'; '': one of both, as it was before.
ALTER TABLE initial_tokens ADD COLUMN creator TEXT NOT NULL DEFAULT '';
