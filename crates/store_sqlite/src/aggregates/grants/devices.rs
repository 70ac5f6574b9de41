//! What waits for a person's answer elsewhere, by the hashes of its codes.

use falconer_store::{DEVICE_SLOW_DOWN_MS, DeviceRequestRecord, LONGEST_DEVICE_INTERVAL_MS};
use rusqlite::{Connection, Row, params};

use crate::connection::columns::{all, first, list, read_list, run};
use crate::connection::fault::Res;

const COLUMNS: &str = "device_hash, user_hash, application, scopes, identity, address, created_ms, expires_ms, interval_ms, polled_ms, \
                       grant_id, denied_ms, used_ms, for_grant, reason, life_ms, jkt, device_name";

pub(crate) fn insert(connection: &Connection, request: &DeviceRequestRecord) -> Res<()> {
    let sql = format!(
        "INSERT INTO device_requests ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"
    );
    let values = params![
        request.device_hash,
        request.user_hash,
        request.application,
        list(&request.scopes)?,
        request.identity,
        request.address,
        request.created_ms,
        request.expires_ms,
        request.interval_ms,
        request.polled_ms,
        request.grant,
        request.denied_ms,
        request.used_ms,
        request.for_grant,
        request.reason,
        request.life_ms,
        request.jkt,
        request.device_name,
    ];
    run(connection, &sql, values)?;
    Ok(())
}

pub(crate) fn of_device(connection: &Connection, hash: &str) -> Res<Option<DeviceRequestRecord>> {
    first(connection, &format!("SELECT {COLUMNS} FROM device_requests WHERE device_hash = ?1"), params![hash], read)
}

pub(crate) fn of_person(connection: &Connection, hash: &str) -> Res<Option<DeviceRequestRecord>> {
    first(connection, &format!("SELECT {COLUMNS} FROM device_requests WHERE user_hash = ?1"), params![hash], read)
}

/// Of the grants of one identity, those that nobody has answered.
pub(crate) fn open_of(connection: &Connection, identity: &str, now_ms: i64) -> Res<Vec<DeviceRequestRecord>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM device_requests WHERE for_grant IN (SELECT id FROM grants WHERE identity = ?1 AND revoked_ms IS NULL AND expires_ms > ?2)
           AND expires_ms > ?2 AND grant_id IS NULL AND denied_ms IS NULL ORDER BY created_ms, user_hash"
    );
    all(connection, &sql, params![identity, now_ms], read)
}

/// Whether it does not come too soon.
pub(crate) fn note_poll(connection: &Connection, hash: &str, at_ms: i64) -> Res<bool> {
    let sql = "UPDATE device_requests SET polled_ms = ?2 WHERE device_hash = ?1 AND (polled_ms IS NULL OR polled_ms + interval_ms <= ?2)";
    if run(connection, sql, params![hash, at_ms])? == 1 {
        return Ok(true);
    }
    let sql = "UPDATE device_requests SET interval_ms = min(interval_ms + ?2, ?3) WHERE device_hash = ?1 AND interval_ms < ?3";
    run(connection, sql, params![hash, DEVICE_SLOW_DOWN_MS, LONGEST_DEVICE_INTERVAL_MS])?;
    Ok(false)
}

/// Whether this is the answer.
pub(crate) fn answer(connection: &Connection, hash: &str, grant: Option<&str>, at_ms: i64) -> Res<bool> {
    let open = "user_hash = ?1 AND expires_ms > ?2 AND denied_ms IS NULL";
    let touched = match grant {
        Some(grant) => {
            let sql = format!("UPDATE device_requests SET grant_id = ?3 WHERE {open} AND (grant_id IS NULL OR grant_id = ?3)");
            run(connection, &sql, params![hash, at_ms, grant])?
        }
        None => {
            run(connection, &format!("UPDATE device_requests SET denied_ms = ?2 WHERE {open} AND grant_id IS NULL"), params![hash, at_ms])?
        }
    };
    Ok(touched == 1)
}

/// Whether this is the first use.
pub(crate) fn note_use(connection: &Connection, hash: &str, at_ms: i64) -> Res<bool> {
    let sql = "UPDATE device_requests SET used_ms = ?2 WHERE device_hash = ?1 AND used_ms IS NULL AND grant_id IS NOT NULL";
    Ok(run(connection, sql, params![hash, at_ms])? == 1)
}

fn read(row: &Row<'_>) -> Res<DeviceRequestRecord> {
    Ok(DeviceRequestRecord {
        device_hash: row.get(0)?,
        user_hash: row.get(1)?,
        application: row.get(2)?,
        scopes: read_list(row, 3)?,
        identity: row.get(4)?,
        address: row.get(5)?,
        created_ms: row.get(6)?,
        expires_ms: row.get(7)?,
        interval_ms: row.get(8)?,
        polled_ms: row.get(9)?,
        grant: row.get(10)?,
        denied_ms: row.get(11)?,
        used_ms: row.get(12)?,
        for_grant: row.get(13)?,
        reason: row.get(14)?,
        life_ms: row.get(15)?,
        jkt: row.get(16)?,
        device_name: row.get(17)?,
    })
}
