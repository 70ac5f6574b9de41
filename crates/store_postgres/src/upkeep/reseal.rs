//! Sealing again with a newer key.

use falconer_store::{Place, ResealFrom, Resealed, Sealer};

use crate::aggregates::{clients, credentials, issuers, refreshes, sessions};
use crate::connection::columns::{Connection, Value, all, finds, get, run};
use crate::connection::fault::Res;
use crate::connection::hash;

/// A sealed column: how to find the rows behind one of them, how to write many, and where its values live.
struct Sealed {
    find: &'static str,
    /// Whether there is a value that an older key has sealed.
    older: &'static str,
    /// Rows are in the order of the hash of their names.
    by_hash: bool,
    /// What is set in many of them, and in which: between both stand the rows, `old (id, again, sealed)`.
    write: (&'static str, &'static str),
    place: fn(&str) -> Place<'_>,
}

/// A value that was changed in between is left alone: whoever changed it sealed it with the newer key.
const SEALED: [Sealed; 7] = [
    Sealed {
        find: "SELECT client_id, access_token FROM clients WHERE id_hash > $1 ORDER BY id_hash LIMIT $2",
        by_hash: true,
        older: "SELECT 1 FROM clients WHERE substr(access_token, 1, $1) <> $2 LIMIT 1",
        write: (
            "UPDATE clients SET access_token = again",
            "WHERE id_hash = sha256(convert_to(old.id, 'UTF8')) AND access_token = old.sealed",
        ),
        place: clients::token_place,
    },
    Sealed {
        find: "SELECT client_id, old_access_token FROM clients WHERE old_access_token IS NOT NULL AND id_hash > $1 ORDER BY id_hash LIMIT $2",
        by_hash: true,
        older: "SELECT 1 FROM clients WHERE substr(old_access_token, 1, $1) <> $2 LIMIT 1",
        write: (
            "UPDATE clients SET old_access_token = again",
            "WHERE id_hash = sha256(convert_to(old.id, 'UTF8')) AND old_access_token = old.sealed",
        ),
        place: clients::old_token_place,
    },
    Sealed {
        find: "SELECT name, token FROM issuers WHERE name > $1 ORDER BY name LIMIT $2",
        by_hash: false,
        older: "SELECT 1 FROM issuers WHERE substr(token, 1, $1) <> $2 LIMIT 1",
        write: ("UPDATE issuers SET token = again", "WHERE issuers.name = old.id AND token = old.sealed"),
        place: issuers::token_place,
    },
    Sealed {
        find: "SELECT account, hash FROM passwords WHERE account > $1 ORDER BY account LIMIT $2",
        by_hash: false,
        older: "SELECT 1 FROM passwords WHERE substr(hash, 1, $1) <> $2 LIMIT 1",
        write: ("UPDATE passwords SET hash = again", "WHERE passwords.account = old.id AND hash = old.sealed"),
        place: credentials::password_place,
    },
    Sealed {
        find: "SELECT id, hash FROM recovery_codes WHERE id > $1 ORDER BY id LIMIT $2",
        by_hash: false,
        older: "SELECT 1 FROM recovery_codes WHERE substr(hash, 1, $1) <> $2 LIMIT 1",
        write: ("UPDATE recovery_codes SET hash = again", "WHERE recovery_codes.id = old.id AND hash = old.sealed"),
        place: credentials::code_place,
    },
    Sealed {
        find: "SELECT id_hash, csrf FROM sessions WHERE id_hash > $1 ORDER BY id_hash LIMIT $2",
        by_hash: false,
        older: "SELECT 1 FROM sessions WHERE substr(csrf, 1, $1) <> $2 LIMIT 1",
        write: ("UPDATE sessions SET csrf = again", "WHERE sessions.id_hash = old.id AND csrf = old.sealed"),
        place: sessions::csrf_place,
    },
    Sealed {
        find: "SELECT identity, handle FROM refreshes WHERE handle IS NOT NULL AND identity > $1 ORDER BY identity LIMIT $2",
        by_hash: false,
        older: "SELECT 1 FROM refreshes WHERE substr(handle, 1, $1) <> $2 LIMIT 1",
        write: ("UPDATE refreshes SET handle = again", "WHERE refreshes.identity = old.id AND handle = old.sealed"),
        place: refreshes::handle_place,
    },
];

pub(crate) async fn reseal(on: &impl Connection, sealer: &Sealer, from: &ResealFrom, limit: u32) -> Res<Resealed> {
    let prefix = sealer.keys().current_prefix();
    let (mut count, mut left, mut after) = (0_u32, limit.max(1), from.row.as_str());
    for (number, column) in SEALED.iter().enumerate().skip(from.column) {
        let hashed = if after.is_empty() { Vec::new() } else { hash::of(after) };
        let behind: &dyn Value = if column.by_hash { &hashed } else { &after };
        let found: Vec<(String, Vec<u8>)> =
            all(on, column.find, &[behind, &i64::from(left)], |row| Ok((get(row, 0)?, get(row, 1)?))).await?;
        let (mut rows, mut again, mut before) = (Vec::new(), Vec::new(), Vec::new());
        for (row, sealed) in found.iter().filter(|(_, sealed)| !sealed.starts_with(&prefix)) {
            let place = (column.place)(row);
            let plain = zeroize::Zeroizing::new(sealer.open(&place, sealed)?);
            rows.push(row.as_str());
            again.push(sealer.seal(&place, &plain)?);
            before.push(sealed.clone());
        }
        if !rows.is_empty() {
            count = count.saturating_add(u32::try_from(rows.len()).unwrap_or(u32::MAX));
            let sql = format!(
                "{} FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS old (id, again, sealed) {}",
                column.write.0, column.write.1
            );
            run(on, &sql, &[&rows, &again, &before]).await?;
        }
        left = left.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        if let (0, Some((row, _))) = (left, found.into_iter().next_back()) {
            return Ok(Resealed { count, next: Some(ResealFrom { column: number, row }) });
        }
        after = "";
    }
    Ok(Resealed { count, next: None })
}

pub(crate) async fn needs_older_keys(on: &impl Connection, sealer: &Sealer) -> Res<bool> {
    let prefix = sealer.keys().current_prefix();
    let length = i32::try_from(prefix.len()).unwrap_or(i32::MAX);
    for column in &SEALED {
        if finds(on, column.older, &[&length, &prefix]).await? {
            return Ok(true);
        }
    }
    Ok(false)
}
