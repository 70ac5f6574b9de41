//! Whether there was something to delete. The protocol's own answer to a deletion is the same whether there was or not.

use anyhow::Result;
use falconer_client::Error;

/// Whether a record was found; `None` where the credentials may not look, though they may delete.
pub fn is_there<R>(found: Result<Option<R>, Error>) -> Result<Option<bool>> {
    match found {
        Ok(record) => Ok(Some(record.is_some())),
        Err(error) if error.status() == Some(403) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Says what is so now.
pub fn say_deleted(kind: &str, id: &str, there: Option<bool>) {
    match there {
        None => eprintln!("there is no {kind} {id} any more; whether there was one can't be told without auth:get-{kind}:{id}"),
        Some(_) => eprintln!("deleted {id}"),
    }
}
