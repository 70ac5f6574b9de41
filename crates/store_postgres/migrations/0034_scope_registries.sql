-- What services have published about their scopes. scopes: a JSON list of {template, sentence, risk}.
-- A program that does not know this kind of change could not follow the others any more: none may go on beside this file.
CREATE TABLE scope_registries (
    namespace TEXT COLLATE "C" PRIMARY KEY,
    scopes TEXT NOT NULL,
    published_by TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    last_modified_ms BIGINT NOT NULL
);
