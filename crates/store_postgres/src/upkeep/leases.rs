//! What only one node does. The clock of the database decides, which all nodes have in common.

use crate::connection::columns::{Connection, run};
use crate::connection::fault::Res;

pub(crate) async fn take(on: &impl Connection, name: &str, holder: &str, for_ms: i64) -> Res<bool> {
    let sql = "INSERT INTO leases AS l (name, holder, until) VALUES ($1, $2, clock_timestamp() + $3::bigint * interval '1 millisecond')
               ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
                 WHERE l.holder = excluded.holder OR l.until <= clock_timestamp()";
    Ok(run(on, sql, &[&name, &holder, &for_ms]).await? > 0)
}

pub(crate) async fn end(on: &impl Connection, name: &str, holder: &str) -> Res<()> {
    run(on, "DELETE FROM leases WHERE name = $1 AND holder = $2", &[&name, &holder]).await.map(drop)
}
