//! Which numbered files a database has seen. Both backends ask this before they bring a schema up to this program's.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use crate::{Result, StoreError};

/// One numbered file.
pub struct Migration {
    /// Such as `0001_records`.
    pub name: &'static str,
    /// What it says, in the words of its backend.
    pub text: &'static str,
}

impl Migration {
    /// SHA-256 of the text in hexadecimal digits. It is kept in the database, so a file that was released is never edited.
    pub fn checksum(&self) -> String {
        Sha256::digest(self.text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What a line of a file begins with that says beside which programs it may be applied.
const BESIDE: &str = "-- beside: ";

impl Migration {
    /// The lowest version of the schema whose programs may go on reading and writing once this one is applied, as a line `-- beside: 15` of its text says. Without one,
    /// and that is for whoever writes the file to judge, none may: what they write would lack something that the newer program relies on.
    pub fn beside(&self) -> Option<i64> {
        self.text.lines().find_map(|line| line.strip_prefix(BESIDE)?.trim().parse().ok())
    }
}

/// A file that a database has seen: version, name, checksum.
pub type AppliedMigration = (i64, String, String);

/// Those of `known` that the database has not seen, with their versions, which count from 1. [`Newer`](StoreError::Newer) where it has seen
/// more, [`Corrupt`](StoreError::Corrupt) where it has seen others.
pub fn missing_migrations<'m>(applied: &[AppliedMigration], known: &'m [Migration]) -> Result<Vec<(i64, &'m Migration)>> {
    if applied.len() > known.len() {
        let newest = applied.last().map(|(_, name, _)| name.as_str()).unwrap_or_default();
        return Err(StoreError::Newer(newest.to_owned()));
    }
    let mut missing = Vec::new();
    for (version, migration) in (1i64..).zip(known) {
        match applied.iter().find(|(done, _, _)| *done == version) {
            Some((_, _, theirs)) if *theirs == migration.checksum() => {}
            Some((_, name, _)) => {
                return Err(StoreError::Corrupt(format!("the schema was made by another {name} than this program's {}", migration.name)));
            }
            None => missing.push((version, migration)),
        }
    }
    Ok(missing)
}

/// Refuses a schema that is not this program's, older ([`InTheWay`](StoreError::InTheWay)), newer ([`Newer`](StoreError::Newer)) or another
/// one ([`Corrupt`](StoreError::Corrupt)).
pub fn check_none_missing(applied: &[AppliedMigration], known: &[Migration]) -> Result<()> {
    match missing_migrations(applied, known)?.first() {
        None => Ok(()),
        Some((_, first)) => Err(StoreError::InTheWay(format!(
            "the schema is older than this program ({} is missing): start the server of this version on it once",
            first.name
        ))),
    }
}

/// Tables that a migration changes and makes an index of, although others have rows in them. While it is made nobody could read them.
pub fn indexed_while_changed(text: &str) -> Vec<String> {
    let statements = statements_of(text);
    let of = |what: &str, behind: &str| -> BTreeSet<String> {
        let wanted = statements.iter().filter(|statement| statement.starts_with(what));
        let table = |statement: &String| statement.split(behind).nth(1)?.split([' ', '(']).next().map(str::to_owned);
        wanted.filter_map(table).collect()
    };
    let indexed: BTreeSet<String> = &of("CREATE INDEX ", " ON ") | &of("CREATE UNIQUE INDEX ", " ON ");
    indexed.intersection(&of("ALTER TABLE ", "ALTER TABLE ")).cloned().collect()
}

/// In capitals, with one space between two words, and without comments.
fn statements_of(text: &str) -> Vec<String> {
    let plain: Vec<&str> = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let statements = plain.join(" ");
    statements.split(';').map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase()).collect()
}

/// The statements of a migration by which a program of the version before, which still runs beside it, would fail or lose something: what it reads is gone or has another
/// type, or what it writes is refused. A migration only expands: it adds tables, indexes, and columns that have a default or may be empty.
pub fn not_expanding(text: &str) -> Vec<String> {
    let statements = statements_of(text);
    let created_table =
        |statement: &str| statement.strip_prefix("CREATE TABLE ").and_then(|rest| rest.split([' ', '(']).next().map(str::to_owned));
    let new: Vec<String> = statements.iter().filter_map(|statement| created_table(statement)).collect();
    let is_of_new = |statement: &str| new.iter().any(|table| statement.split([' ', '(']).any(|word| word == table));
    let expands = |statement: &String| {
        let says = |words: &str| format!(" {statement} ").contains(&format!(" {words} "));
        if statement.is_empty() || is_of_new(statement) || says("DROP INDEX") {
            return true;
        }
        let adds = says("ADD COLUMN") && (!says("NOT NULL") || says("DEFAULT")) && !says("UNIQUE") && !says("CHECK");
        match statement.split(' ').next().unwrap_or_default() {
            "CREATE" => says("CREATE INDEX"),
            "ALTER" => adds && !says("DROP") && !says("RENAME"),
            // What a new column is filled with.
            "UPDATE" => true,
            _ => false,
        }
    };
    statements.iter().filter(|statement| !expands(statement)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_of_a_table_that_is_changed_is_named() {
        let both =
            "ALTER TABLE grants ADD COLUMN widens TEXT;\ncreate index by_widened\n  ON grants (widens);\nCREATE INDEX c ON clients (id);";
        assert_eq!(indexed_while_changed(both), ["GRANTS"]);
        let fine = "ALTER TABLE grants ADD COLUMN widens TEXT; -- CREATE INDEX g ON grants (widens);\nCREATE INDEX c ON clients(id);";
        assert_eq!(indexed_while_changed(fine), Vec::<String>::new());
    }

    #[test]
    fn what_takes_something_away_is_named() {
        for fine in [
            "-- DROP TABLE clients;\nCREATE TABLE leases (name TEXT PRIMARY KEY, until_ms BIGINT NOT NULL CHECK (until_ms > 0));",
            "CREATE TABLE leases (name TEXT);\nCREATE UNIQUE INDEX leases_once ON leases (name);\nINSERT INTO leases VALUES ('a');",
            "ALTER TABLE meta ADD COLUMN epoch TEXT;\nUPDATE meta SET epoch = 'x';",
            "ALTER TABLE meta ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;",
            "DROP INDEX grants_by_end;\nCREATE INDEX grants_by_end ON grants (expires_ms, id);",
        ] {
            assert_eq!(not_expanding(fine), Vec::<String>::new(), "{fine}");
        }
        for other in [
            "DROP TABLE passwords;",
            "ALTER TABLE accounts DROP COLUMN password_hash;",
            "ALTER TABLE accounts RENAME COLUMN name TO id;",
            "ALTER TABLE accounts ALTER COLUMN name TYPE BIGINT;",
            "ALTER TABLE accounts ALTER COLUMN email SET NOT NULL;",
            "ALTER TABLE identities ALTER COLUMN person DROP DEFAULT;",
            "ALTER TABLE accounts ADD COLUMN kind TEXT NOT NULL;",
            "ALTER TABLE accounts ADD COLUMN kind TEXT UNIQUE;",
            "alter table accounts\n  add constraint once unique (email);",
            "CREATE UNIQUE INDEX accounts_by_email ON accounts (email);",
            "DELETE FROM changes;",
            "CREATE TRIGGER t AFTER INSERT ON accounts BEGIN SELECT 1; END;",
        ] {
            assert!(!not_expanding(other).is_empty(), "{other}");
        }
    }
}
