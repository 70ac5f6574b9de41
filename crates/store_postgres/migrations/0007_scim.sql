-- What an organisation's directory pushes: users and groups. name_key: the name in lower case. changes: how often something new was said of a user;
-- followed: up to which of them the person has it. deleted: the directory has deleted the user, and the person has not ended yet.
CREATE TABLE scim_resources (
  directory TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('user', 'group')),
  id TEXT NOT NULL,
  external_id TEXT,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  display_name TEXT NOT NULL,
  display_key TEXT NOT NULL,
  active BIGINT NOT NULL,
  profile TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL,
  changes BIGINT NOT NULL,
  followed BIGINT NOT NULL,
  deleted BIGINT NOT NULL,
  PRIMARY KEY (directory, id)
);
CREATE UNIQUE INDEX scim_by_name ON scim_resources (directory, kind, name_key);
CREATE UNIQUE INDEX scim_by_external_id ON scim_resources (directory, kind, external_id);
CREATE INDEX scim_pending ON scim_resources (directory, id) WHERE changes <> followed;

CREATE TABLE scim_members (
  directory TEXT NOT NULL,
  group_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (directory, group_id, user_id)
);
CREATE INDEX scim_members_by_user ON scim_members (directory, user_id);
