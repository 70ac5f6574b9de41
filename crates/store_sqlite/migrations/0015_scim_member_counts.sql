-- The members of all groups of a directory are added up for each group that grows: from this index alone.
CREATE INDEX scim_member_counts ON scim_resources (directory, member_count) WHERE kind = 'group';
