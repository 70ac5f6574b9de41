-- What is asked of each push has an answer of its own: how many of a kind a directory has, how many are in a group, and the order of lists.
CREATE TABLE scim_sizes (
  directory TEXT NOT NULL,
  kind TEXT NOT NULL,
  there BIGINT NOT NULL,
  PRIMARY KEY (directory, kind)
);
INSERT INTO scim_sizes SELECT directory, kind, count(*) FROM scim_resources GROUP BY directory, kind;
ALTER TABLE scim_resources ADD COLUMN member_count BIGINT NOT NULL DEFAULT 0;
UPDATE scim_resources SET member_count = (SELECT count(*) FROM scim_members m
  WHERE m.directory = scim_resources.directory AND m.group_id = scim_resources.id) WHERE kind = 'group';
CREATE INDEX scim_in_order ON scim_resources (directory, kind, created_ms, id COLLATE "C") WHERE deleted = 0;
CREATE INDEX scim_deleted ON scim_resources (directory, kind) WHERE deleted = 1;
-- With the group in it: without, SQLite finds the groups of a user by reading all members of all groups.
DROP INDEX scim_members_by_user;
CREATE INDEX scim_members_by_user ON scim_members (directory, user_id, group_id);
