-- 100,000 people of one provider, each with five groups of 997 and six scopes, for the memory of a server that has them (docs/performance.md):
--   falconer init --data-dir d && sqlite3 d/falconer.sqlite < benches/people.sql && falconer serve --data-dir d
WITH RECURSIVE
  numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 99999),
  made AS (
    SELECT
      n,
      printf('corp/%08x-0000-4000-8000-%012x', n * 7919, n) AS identity,
      printf('person%06d', n) AS username,
      (SELECT json_group_array(g) FROM (SELECT printf('group-%03d-of-the-company', (n * j) % 997) AS g
        FROM (SELECT 1 AS j UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5) ORDER BY g)) AS groups
    FROM numbers
  )
INSERT INTO identities (identity, provider, subject, display_name, email, email_verified, groups, scopes, refreshed_ms, disabled, person, username)
SELECT
  identity, 'corp', substr(identity, 6), 'Person Number ' || n, username || '@example.com', 1, groups,
  (SELECT json_group_array(scope) FROM (SELECT 'assume:mozilla-group:' || value AS scope FROM json_each(groups)
    UNION ALL SELECT 'assume:mozilla-user:' || username || '@example.com' ORDER BY scope)),
  CAST(strftime('%s', 'now') AS INTEGER) * 1000, 0, printf('%032x', n), username
FROM made;
INSERT INTO people (id, name, disabled, created_ms, last_modified_ms)
SELECT person, identity, 0, refreshed_ms, refreshed_ms FROM identities WHERE provider = 'corp';
