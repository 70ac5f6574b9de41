//! Databases in memory, each as new.

use std::sync::{Mutex, PoisonError};

use falconer_store::Result;
use rusqlite::Connection;
use rusqlite::backup::Backup;

use crate::connection::fault::{Fault, Res};
use crate::connection::file::connect_to_memory;
use crate::connection::migrate::{MIGRATIONS, migrate};
use crate::steps::writing::write;

/// One on which the migrations have run, and nothing since.
static MIGRATED: Mutex<Option<Connection>> = Mutex::new(None);

/// A new database with all its tables. They are made once and then copied: in a test, making them took longer than what is tested.
pub(crate) fn connect_to_new_memory() -> Result<Connection> {
    let mut migrated = MIGRATED.lock().unwrap_or_else(PoisonError::into_inner);
    let source = match &*migrated {
        Some(source) => source,
        None => {
            let mut source = connect_to_memory()?;
            write(&mut source, |connection| migrate(connection, MIGRATIONS))?;
            migrated.insert(source)
        }
    };
    let mut connection = connect_to_memory()?;
    copy(source, &mut connection).map_err(Fault::named)?;
    Ok(connection)
}

fn copy(source: &Connection, copied: &mut Connection) -> Res<()> {
    // All pages in one step.
    Backup::new(source, copied)?.step(-1)?;
    // Two databases have never the same history.
    copied.execute("UPDATE meta SET epoch = lower(hex(randomblob(8)))", [])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::migrate::application_id;

    /// All of the schema, and of the rows that migrations write, but for the epoch.
    fn contents(connection: &Connection) -> (Vec<String>, String, i64) {
        let mut schema =
            connection.prepare("SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1").unwrap();
        let schema = schema.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<Vec<_>>>().unwrap();
        let epoch = connection.query_row("SELECT epoch FROM meta", [], |row| row.get(0)).unwrap();
        (schema, epoch, application_id(connection).unwrap())
    }

    #[test]
    fn a_copy_is_a_new_database() {
        let mut made = connect_to_memory().unwrap();
        write(&mut made, |connection| migrate(connection, MIGRATIONS)).unwrap();
        let (first, second) = (connect_to_new_memory().unwrap(), connect_to_new_memory().unwrap());
        let [made, one, two] = [&made, &first, &second].map(contents);
        assert!(made.0 == one.0 && made.0 == two.0 && made.0.len() > 50, "{}", made.0.len());
        assert!(made.2 == one.2 && one.2 == two.2, "ours");
        assert!(made.1 != one.1 && one.1 != two.1, "each has a history of its own");
        // What is written into one is not in the other, nor in those that come later.
        first.execute("DELETE FROM meta", []).unwrap();
        for other in [second, connect_to_new_memory().unwrap()] {
            assert_eq!(other.query_row("SELECT count(*) FROM meta", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
        }
    }
}
