-- beside: 34
-- All clients in the order of their ids, as a server reads them at its start: without sorting, so that the first ones arrive at once. An index takes no text as long as
-- an id may be, so it holds the beginning. Older programs go on, without knowing of it.
CREATE INDEX clients_in_order ON clients (left(client_id, 256));
