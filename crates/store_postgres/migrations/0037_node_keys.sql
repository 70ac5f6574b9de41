-- beside: 35
-- Which keys each node says that it has, as ids and prints, until when, by the clock of the database. A node of before says nothing.
CREATE TABLE node_keys (
    node  TEXT COLLATE "C" PRIMARY KEY,
    keys  TEXT[] NOT NULL,
    until TIMESTAMPTZ NOT NULL
);
