//! Whether something between here and the database gives several connections one of the database's, as pgbouncer does in transaction mode.

use tokio_postgres::Client;

use crate::connection::columns::get;
use crate::connection::fault::Res;

/// A pooler gives a transaction the connection that was given back last, or one after the other.
const ROUNDS: u32 = 8;

/// Of two connections that are open at the same time each has a process of the database for itself, and keeps it. `false`: as far as can be seen.
pub(crate) async fn is_shared(one: &Client, other: &Client) -> Res<bool> {
    let (of_one, of_other) = (process(one).await?, process(other).await?);
    for _ in 0..ROUNDS {
        let (now_of_one, now_of_other) = (process(one).await?, process(other).await?);
        if now_of_one == now_of_other || (now_of_one, now_of_other) != (of_one, of_other) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The process that answers.
async fn process(client: &Client) -> Res<i32> {
    get(&client.query_typed_one("SELECT pg_backend_pid()", &[]).await?, 0)
}
