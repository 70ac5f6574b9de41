//! Which keys each node has, so that none is made to meet one that it lacks. By the clock of the database, which all nodes have in common.

use crate::connection::columns::{self, Connection, get, run};
use crate::connection::fault::Res;

/// Notes them, and takes away what has ended.
pub(crate) async fn note(on: &impl Connection, node: &str, keys: &[String], for_ms: i64) -> Res<()> {
    let sql = "WITH ended AS (DELETE FROM node_keys WHERE node <> $1 AND until <= clock_timestamp())
               INSERT INTO node_keys (node, keys, until) VALUES ($1, $2, clock_timestamp() + $3::bigint * interval '1 millisecond')
               ON CONFLICT (node) DO UPDATE SET keys = excluded.keys, until = excluded.until";
    run(on, sql, &[&node, &keys, &for_ms]).await.map(drop)
}

/// Those that hold.
pub(crate) async fn all(on: &impl Connection) -> Res<Vec<Vec<String>>> {
    columns::all(on, "SELECT keys FROM node_keys WHERE until > clock_timestamp() ORDER BY node", &[], |row| get(row, 0)).await
}
