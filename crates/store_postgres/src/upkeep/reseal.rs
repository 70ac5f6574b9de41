//! Sealing again with a newer key.

use deadpool_postgres::GenericClient;
use falconer_store::{Place, Sealer};

use crate::aggregates::{clients, credentials, issuers, sessions};
use crate::connection::columns::{all, get, run};
use crate::connection::fault::Res;

/// A sealed column: how to find its rows, how to write one, and where its values live.
struct Sealed {
    find: &'static str,
    write: &'static str,
    place: fn(&str) -> Place<'_>,
}

/// A value that was changed in between is left alone: whoever changed it sealed it with the newer key.
const SEALED: [Sealed; 5] = [
    Sealed {
        find: "SELECT client_id, access_token FROM clients WHERE substr(access_token, 1, $1) <> $2 LIMIT $3",
        write: "UPDATE clients SET access_token = $2 WHERE id_hash = sha256(convert_to($1, 'UTF8')) AND access_token = $3",
        place: clients::token_place,
    },
    Sealed {
        find: "SELECT name, token FROM issuers WHERE substr(token, 1, $1) <> $2 LIMIT $3",
        write: "UPDATE issuers SET token = $2 WHERE name = $1 AND token = $3",
        place: issuers::token_place,
    },
    Sealed {
        find: "SELECT account, hash FROM passwords WHERE substr(hash, 1, $1) <> $2 LIMIT $3",
        write: "UPDATE passwords SET hash = $2 WHERE account = $1 AND hash = $3",
        place: credentials::password_place,
    },
    Sealed {
        find: "SELECT id, hash FROM recovery_codes WHERE substr(hash, 1, $1) <> $2 LIMIT $3",
        write: "UPDATE recovery_codes SET hash = $2 WHERE id = $1 AND hash = $3",
        place: credentials::code_place,
    },
    Sealed {
        find: "SELECT id_hash, csrf FROM sessions WHERE substr(csrf, 1, $1) <> $2 LIMIT $3",
        write: "UPDATE sessions SET csrf = $2 WHERE id_hash = $1 AND csrf = $3",
        place: sessions::csrf_place,
    },
];

pub(crate) async fn reseal(on: &impl GenericClient, sealer: &Sealer, limit: u32) -> Res<u32> {
    let prefix = sealer.keys().current_prefix();
    let length = i32::try_from(prefix.len()).unwrap_or(i32::MAX);
    let mut done: u32 = 0;
    for column in &SEALED {
        let left = i64::from(limit.saturating_sub(done));
        let found: Vec<(String, Vec<u8>)> =
            all(on, column.find, &[&length, &prefix, &left], |row| Ok((get(row, 0)?, get(row, 1)?))).await?;
        for (row, sealed) in found {
            let place = (column.place)(&row);
            let plain = zeroize::Zeroizing::new(sealer.open(&place, &sealed)?);
            run(on, column.write, &[&row, &sealer.seal(&place, &plain)?, &sealed]).await?;
            done = done.saturating_add(1);
        }
    }
    Ok(done)
}
