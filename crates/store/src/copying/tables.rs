//! The tables of both backends, and what their columns hold. A test of each backend compares this list with its schema, so that no table is forgotten.

/// What a column holds, and how the backends keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Int,
    /// `BOOLEAN` in PostgreSQL, 0 and 1 in SQLite.
    Bool,
    /// Text; compares by its bytes.
    Text,
    /// `TEXT[]` in PostgreSQL, a JSON array in SQLite.
    List,
    /// Bytes, such as a sealed value, which is copied without being opened.
    Bytes,
    /// The order in which rows were made: an identity column in PostgreSQL, the rowid in SQLite.
    Number,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name, in both.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The column of PostgreSQL that holds the SHA-256 of this one, where there is one.
    pub hash: Option<&'static str>,
}

/// A table.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, in both.
    pub name: &'static str,
    /// How many of the columns, from the first on, tell rows apart; they are the order of the rows.
    pub key: usize,
    /// All columns.
    pub columns: &'static [Column],
}

/// A value of a column. Neither text nor bytes are in a `Debug` of it: some are hashes, some are sealed.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Of [`Kind::Int`] and [`Kind::Number`].
    Int(i64),
    /// Of [`Kind::Bool`].
    Bool(bool),
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::List`].
    List(Vec<String>),
    /// Of [`Kind::Bytes`].
    Bytes(Vec<u8>),
}

/// A value for each column of a table, in their order.
pub type Row = Vec<Value>;

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, hash: None }
}

const fn int(name: &'static str) -> Column {
    column(name, Kind::Int)
}

const fn flag(name: &'static str) -> Column {
    column(name, Kind::Bool)
}

const fn text(name: &'static str) -> Column {
    column(name, Kind::Text)
}

const fn list(name: &'static str) -> Column {
    column(name, Kind::List)
}

const fn bytes(name: &'static str) -> Column {
    column(name, Kind::Bytes)
}

const fn number(name: &'static str) -> Column {
    column(name, Kind::Number)
}

const fn hashed(name: &'static str, hash: &'static str) -> Column {
    Column { name, kind: Kind::Text, hash: Some(hash) }
}

const fn table(name: &'static str, key: usize, columns: &'static [Column]) -> Table {
    Table { name, key, columns }
}

/// Tables that belong to one backend, and the row of the revision, which is written last: see [`Standing`](crate::copying::Standing).
pub const NOT_COPIED: &[&str] = &["meta", "migrations", "falconer_migrations", "leases"];

/// All others.
pub static TABLES: &[Table] = &[
    table("changes", 3, &[int("revision"), text("kind"), hashed("key", "key_hash"), int("at_ms"), text("what")]),
    table(
        "audit",
        1,
        &[
            number("id"),
            int("revision"),
            int("at_ms"),
            hashed("actor", "actor_hash"),
            text("grant_id"),
            text("action"),
            text("entity_type"),
            hashed("entity_id", "entity_hash"),
            text("detail"),
        ],
    ),
    table(
        "clients",
        1,
        &[
            hashed("client_id", "id_hash"),
            text("description"),
            bytes("access_token"),
            int("expires_us"),
            int("created_ms"),
            int("last_modified_ms"),
            int("last_date_used_ms"),
            int("last_rotated_ms"),
            flag("delete_on_expiration"),
            list("scopes"),
            flag("disabled"),
            text("grant_id"),
            text("revoked_certificates"),
            bytes("old_access_token"),
            int("old_token_ends_ms"),
        ],
    ),
    table("roles", 1, &[hashed("role_id", "id_hash"), list("scopes"), text("description"), int("created_ms"), int("last_modified_ms")]),
    table("issuers", 1, &[text("name"), bytes("token"), int("created_ms"), int("retired_ms")]),
    table(
        "grants",
        1,
        &[
            text("id"),
            number("number"),
            text("identity"),
            text("target"),
            text("target_origin"),
            text("client_id"),
            list("scopes"),
            flag("everything"),
            list("identity_for"),
            int("created_ms"),
            int("start_ms"),
            int("expires_ms"),
            text("issuer"),
            text("seed"),
            text("nonce"),
            text("choices"),
            text("label"),
            int("last_used_ms"),
            int("use_count"),
            int("revoked_ms"),
            text("revoked_by"),
            text("reason"),
            text("name"),
            text("parent"),
            text("purpose"),
        ],
    ),
    table(
        "applications",
        1,
        &[
            text("id"),
            text("name"),
            text("description"),
            text("owner"),
            list("redirect_uris"),
            list("scopes"),
            int("max_life_ms"),
            flag("confidential"),
            text("secret_hash"),
            int("secret_made_ms"),
            text("old_secret_hash"),
            int("old_secret_ends_ms"),
            int("remember_ms"),
            flag("skip_consent"),
            int("created_ms"),
            int("last_modified_ms"),
            text("registration_hash"),
            text("initial_token"),
            int("granted_ms"),
            flag("pushed_only"),
            text("id_token_alg"),
        ],
    ),
    table(
        "initial_tokens",
        1,
        &[
            text("id"),
            text("hash"),
            text("description"),
            text("created_by"),
            text("owner"),
            list("scopes"),
            int("max_life_ms"),
            int("max_uses"),
            int("uses"),
            int("created_ms"),
            int("expires_ms"),
        ],
    ),
    table(
        "consents",
        2,
        &[
            text("identity"),
            text("application"),
            text("redirect_uri"),
            list("scopes"),
            int("life_ms"),
            int("at_ms"),
            int("expires_ms"),
            text("person"),
            text("target_origin"),
            list("identity_scopes"),
            text("basis"),
        ],
    ),
    table(
        "grant_secrets",
        1,
        &[
            text("hash"),
            text("kind"),
            text("grant_id"),
            text("application"),
            text("redirect_uri"),
            text("challenge"),
            int("expires_ms"),
            int("kept_until_ms"),
            int("used_ms"),
            list("resources"),
        ],
    ),
    table(
        "grant_identities",
        1,
        &[
            text("grant_id"),
            text("subject"),
            list("scopes"),
            text("nonce"),
            int("proved_ms"),
            text("method"),
            int("factors"),
            int("kept_until_ms"),
        ],
    ),
    table(
        "device_requests",
        1,
        &[
            text("device_hash"),
            text("user_hash"),
            text("application"),
            list("scopes"),
            flag("identity"),
            text("address"),
            int("created_ms"),
            int("expires_ms"),
            int("interval_ms"),
            int("polled_ms"),
            text("grant_id"),
            int("denied_ms"),
            int("used_ms"),
        ],
    ),
    table(
        "identities",
        1,
        &[
            text("identity"),
            text("provider"),
            text("subject"),
            text("display_name"),
            text("email"),
            flag("email_verified"),
            list("groups"),
            list("scopes"),
            int("refreshed_ms"),
            flag("disabled"),
            text("person"),
            text("username"),
            flag("gone"),
            text("additions"),
        ],
    ),
    table("people", 1, &[text("id"), text("name"), flag("disabled"), int("created_ms"), int("last_modified_ms")]),
    table(
        "accounts",
        1,
        &[
            text("name"),
            text("display_name"),
            text("email"),
            list("groups"),
            list("scopes"),
            flag("disabled"),
            flag("deleted"),
            int("created_ms"),
            int("last_modified_ms"),
            list("email_within"),
        ],
    ),
    table("passwords", 1, &[text("account"), bytes("hash")]),
    table(
        "passkeys",
        1,
        &[
            text("id"),
            text("account"),
            bytes("public_key"),
            int("counter"),
            list("transports"),
            text("aaguid"),
            flag("resident"),
            text("label"),
            int("created_ms"),
            int("last_used_ms"),
        ],
    ),
    table("recovery_codes", 1, &[text("id"), text("account"), int("position"), bytes("hash"), int("created_ms"), int("used_ms")]),
    table(
        "account_links",
        1,
        &[
            text("hash"),
            text("account"),
            text("kind"),
            text("made_by"),
            list("within"),
            text("password"),
            int("created_ms"),
            int("expires_ms"),
            flag("mailed"),
        ],
    ),
    table("setup_links", 1, &[text("hash"), int("expires_ms"), int("used_ms")]),
    table(
        "sessions",
        1,
        &[
            text("id_hash"),
            number("number"),
            text("identity"),
            bytes("csrf"),
            int("created_ms"),
            int("last_seen_ms"),
            int("expires_ms"),
            text("user_agent"),
            text("method"),
            int("factors"),
            text("address"),
            int("proved_ms"),
        ],
    ),
    table("pending_links", 1, &[text("session"), text("identity"), int("expires_ms")]),
    table("remembered_origins", 2, &[text("identity"), text("origin"), int("at_ms")]),
    table("attempts", 2, &[text("key"), int("at_ms"), int("until_ms"), int("count")]),
    table("refreshes", 1, &[text("identity"), bytes("handle"), int("due_ms"), int("claimed_until_ms")]),
    table("provider_subjects", 1, &[text("provider"), text("known_by")]),
    table(
        "scim_resources",
        2,
        &[
            text("directory"),
            text("id"),
            text("kind"),
            text("external_id"),
            text("name"),
            text("name_key"),
            text("display_name"),
            text("display_key"),
            int("active"),
            text("profile"),
            int("version"),
            int("created_ms"),
            int("modified_ms"),
            int("changes"),
            int("followed"),
            int("deleted"),
            int("member_count"),
        ],
    ),
    table("scim_members", 3, &[text("directory"), text("group_id"), text("user_id")]),
    table("scim_sizes", 2, &[text("directory"), text("kind"), int("there")]),
];
