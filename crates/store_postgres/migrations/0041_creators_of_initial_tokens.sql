-- beside: 35
-- What created_by names: 'client' or 'person'; '': one of both, as it was before, and as older programs write it. They go on.
ALTER TABLE initial_tokens ADD COLUMN creator TEXT NOT NULL DEFAULT '';
