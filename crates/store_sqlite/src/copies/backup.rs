//! Copying a database that others write to, as it was at one moment.

use std::path::Path;

use falconer_store::{Result, StoreError};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::connection::fault::{Fault, Res};
use crate::connection::file;

/// Pages that are copied before the progress is told again: about four megabytes.
const PAGES: i32 = 1000;

/// Copies the database `from` into the file `to`, which exists and is empty, page by page. What others commit meanwhile is not in it, and they do not wait: one
/// reading transaction lasts from the first page to the last. `progress` is told how many pages are done, and of how many.
///
/// The copy is one file: its journal is no write-ahead log, so that nothing lies beside it. It is not synchronised to the disk.
pub fn back_up(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
    let source = file::connect_to_read(from)?;
    let mut copy = Connection::open(to).map_err(|error| file::not_opened(to, error))?;
    copy_pages(&source, &mut copy, progress).map_err(Fault::named)?;
    make_one_file(&copy).map_err(Fault::named)
}

fn copy_pages(source: &Connection, copy: &mut Connection, progress: &mut dyn FnMut(u64, u64)) -> Res<()> {
    let reading = source.unchecked_transaction()?;
    // The moment is that of the first read.
    reading.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let backup = Backup::new(source, copy)?;
    loop {
        let step = backup.step(PAGES)?;
        let done = backup.progress();
        let (total, left) = (u64::try_from(done.pagecount).unwrap_or(0), u64::try_from(done.remaining).unwrap_or(0));
        progress(total.saturating_sub(left), total);
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => return Err(StoreError::InUse("the copy is in use by another process".to_owned()).into()),
        }
    }
}

/// The copy says of itself what its source does, which has a write-ahead log.
fn make_one_file(copy: &Connection) -> Res<()> {
    let mode: String = copy.pragma_update_and_check(None, "journal_mode", "delete", |row| row.get(0))?;
    if mode == "delete" { Ok(()) } else { Err(StoreError::Unavailable(format!("the copy keeps the journal {mode}")).into()) }
}
