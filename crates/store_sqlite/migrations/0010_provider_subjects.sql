-- By which attribute the people of a provider are known, such as `oidc sub`; kept when the first of them signs in, and never changed.
CREATE TABLE provider_subjects (
  provider TEXT PRIMARY KEY,
  known_by TEXT NOT NULL
) STRICT;
