//! Sealing again with a newer key.

use falconer_store::{Place, ResealFrom, Resealed, Sealer};
use rusqlite::{Connection, params};

use crate::aggregates::{clients, credentials, issuers, refreshes, sessions};
use crate::connection::columns::{all, first, run};
use crate::connection::fault::Res;

/// A sealed column: how to find the rows behind one of them, how to write one, and where its values live.
struct Sealed {
    find: &'static str,
    /// Whether there is a value that an older key has sealed.
    older: &'static str,
    write: &'static str,
    place: fn(&str) -> Place<'_>,
}

const SEALED: [Sealed; 7] = [
    Sealed {
        find: "SELECT client_id, access_token FROM clients WHERE client_id > ?1 ORDER BY client_id LIMIT ?2",
        older: "SELECT 1 FROM clients WHERE substr(access_token, 1, ?1) <> ?2 LIMIT 1",
        write: "UPDATE clients SET access_token = ?2 WHERE client_id = ?1",
        place: clients::token_place,
    },
    Sealed {
        find: "SELECT client_id, old_access_token FROM clients WHERE old_access_token IS NOT NULL AND client_id > ?1 ORDER BY client_id LIMIT ?2",
        older: "SELECT 1 FROM clients WHERE substr(old_access_token, 1, ?1) <> ?2 LIMIT 1",
        write: "UPDATE clients SET old_access_token = ?2 WHERE client_id = ?1",
        place: clients::old_token_place,
    },
    Sealed {
        find: "SELECT name, token FROM issuers WHERE name > ?1 ORDER BY name LIMIT ?2",
        older: "SELECT 1 FROM issuers WHERE substr(token, 1, ?1) <> ?2 LIMIT 1",
        write: "UPDATE issuers SET token = ?2 WHERE name = ?1",
        place: issuers::token_place,
    },
    Sealed {
        find: "SELECT account, hash FROM passwords WHERE account > ?1 ORDER BY account LIMIT ?2",
        older: "SELECT 1 FROM passwords WHERE substr(hash, 1, ?1) <> ?2 LIMIT 1",
        write: "UPDATE passwords SET hash = ?2 WHERE account = ?1",
        place: credentials::password_place,
    },
    Sealed {
        find: "SELECT id, hash FROM recovery_codes WHERE id > ?1 ORDER BY id LIMIT ?2",
        older: "SELECT 1 FROM recovery_codes WHERE substr(hash, 1, ?1) <> ?2 LIMIT 1",
        write: "UPDATE recovery_codes SET hash = ?2 WHERE id = ?1",
        place: credentials::code_place,
    },
    Sealed {
        find: "SELECT id_hash, csrf FROM sessions WHERE id_hash > ?1 ORDER BY id_hash LIMIT ?2",
        older: "SELECT 1 FROM sessions WHERE substr(csrf, 1, ?1) <> ?2 LIMIT 1",
        write: "UPDATE sessions SET csrf = ?2 WHERE id_hash = ?1",
        place: sessions::csrf_place,
    },
    Sealed {
        find: "SELECT identity, handle FROM refreshes WHERE handle IS NOT NULL AND identity > ?1 ORDER BY identity LIMIT ?2",
        older: "SELECT 1 FROM refreshes WHERE substr(handle, 1, ?1) <> ?2 LIMIT 1",
        write: "UPDATE refreshes SET handle = ?2 WHERE identity = ?1",
        place: refreshes::handle_place,
    },
];

pub(crate) fn reseal(connection: &Connection, sealer: &Sealer, from: &ResealFrom, limit: u32) -> Res<Resealed> {
    let prefix = sealer.keys().current_prefix();
    let (mut count, mut left, mut after) = (0_u32, limit.max(1), from.row.as_str());
    for (number, column) in SEALED.iter().enumerate().skip(from.column) {
        let found: Vec<(String, Vec<u8>)> = all(connection, column.find, params![after, left], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (row, sealed) in found.iter().filter(|(_, sealed)| !sealed.starts_with(&prefix)) {
            let place = (column.place)(row);
            let plain = zeroize::Zeroizing::new(sealer.open(&place, sealed)?);
            run(connection, column.write, params![row, sealer.seal(&place, &plain)?])?;
            count = count.saturating_add(1);
        }
        left = left.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        if let (0, Some((row, _))) = (left, found.into_iter().next_back()) {
            return Ok(Resealed { count, next: Some(ResealFrom { column: number, row }) });
        }
        after = "";
    }
    Ok(Resealed { count, next: None })
}

pub(crate) fn needs_older_keys(connection: &Connection, sealer: &Sealer) -> Res<bool> {
    let prefix = sealer.keys().current_prefix();
    let length = i64::try_from(prefix.len()).unwrap_or(i64::MAX);
    for column in &SEALED {
        if first(connection, column.older, params![length, prefix], |_| Ok(()))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
