//! What a table is to both backends: its columns, what each holds, and a row of it.

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

pub(super) const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, hash: None }
}

pub(super) const fn int(name: &'static str) -> Column {
    column(name, Kind::Int)
}

pub(super) const fn flag(name: &'static str) -> Column {
    column(name, Kind::Bool)
}

pub(super) const fn text(name: &'static str) -> Column {
    column(name, Kind::Text)
}

pub(super) const fn list(name: &'static str) -> Column {
    column(name, Kind::List)
}

pub(super) const fn bytes(name: &'static str) -> Column {
    column(name, Kind::Bytes)
}

pub(super) const fn number(name: &'static str) -> Column {
    column(name, Kind::Number)
}

pub(super) const fn hashed(name: &'static str, hash: &'static str) -> Column {
    Column { name, kind: Kind::Text, hash: Some(hash) }
}

pub(super) const fn table(name: &'static str, key: usize, columns: &'static [Column]) -> Table {
    Table { name, key, columns }
}
