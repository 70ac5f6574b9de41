//! Removing what has ended, and sealing again with a newer key.

use falconer_store::{Place, Sealer};
use rusqlite::{Connection, params};

use crate::columns::{all, run};
use crate::fault::Res;
use crate::{accounts, clients, issuers, sessions};

/// How much of the change feed is kept. A decision or a follower that is older reads everything again.
const FEED_MS: i64 = 7 * 24 * 60 * 60 * 1000;

pub(crate) fn prune(connection: &Connection, now_ms: i64) -> Res<()> {
    run(connection, "DELETE FROM sessions WHERE expires_ms <= ?1", params![now_ms])?;
    run(connection, "DELETE FROM setup_links WHERE used_ms IS NOT NULL OR expires_ms <= ?1", params![now_ms])?;
    run(connection, "DELETE FROM attempts WHERE until_ms <= ?1", params![now_ms])?;
    // Up to the first row that is young enough, so that the rest of the feed has no holes.
    let sql = "UPDATE meta SET feed_floor = max(feed_floor,
                 coalesce((SELECT min(revision) - 1 FROM changes WHERE at_ms > ?1), revision))";
    run(connection, sql, params![now_ms.saturating_sub(FEED_MS)])?;
    run(connection, "DELETE FROM changes WHERE revision <= (SELECT feed_floor FROM meta)", [])?;
    Ok(())
}

/// A sealed column: how to find its rows, how to write one, and where its values live.
struct Sealed {
    find: &'static str,
    write: &'static str,
    place: fn(&str) -> Place<'_>,
}

const SEALED: [Sealed; 4] = [
    Sealed {
        find: "SELECT client_id, access_token FROM clients WHERE substr(access_token, 1, ?1) <> ?2 LIMIT ?3",
        write: "UPDATE clients SET access_token = ?2 WHERE client_id = ?1",
        place: clients::token_place,
    },
    Sealed {
        find: "SELECT name, token FROM issuers WHERE substr(token, 1, ?1) <> ?2 LIMIT ?3",
        write: "UPDATE issuers SET token = ?2 WHERE name = ?1",
        place: issuers::token_place,
    },
    Sealed {
        find: "SELECT name, password_hash FROM accounts WHERE substr(password_hash, 1, ?1) <> ?2 LIMIT ?3",
        write: "UPDATE accounts SET password_hash = ?2 WHERE name = ?1",
        place: accounts::password_place,
    },
    Sealed {
        find: "SELECT id_hash, csrf FROM sessions WHERE substr(csrf, 1, ?1) <> ?2 LIMIT ?3",
        write: "UPDATE sessions SET csrf = ?2 WHERE id_hash = ?1",
        place: sessions::csrf_place,
    },
];

pub(crate) fn reseal(connection: &Connection, sealer: &Sealer, limit: u32) -> Res<u32> {
    let prefix = sealer.keys().current_prefix();
    let length = i64::try_from(prefix.len()).unwrap_or(i64::MAX);
    let mut done: u32 = 0;
    for column in &SEALED {
        let found: Vec<(String, Vec<u8>)> =
            all(connection, column.find, params![length, prefix, limit.saturating_sub(done)], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (row, sealed) in found {
            let place = (column.place)(&row);
            let plain = zeroize::Zeroizing::new(sealer.open(&place, &sealed)?);
            run(connection, column.write, params![row, sealer.seal(&place, &plain)?])?;
            done = done.saturating_add(1);
        }
    }
    Ok(done)
}
