//! What waits for a person's answer elsewhere, by the hashes of its codes.

use falconer_store::{DEVICE_SLOW_DOWN_MS, DeviceRequestRecord, LONGEST_DEVICE_INTERVAL_MS};
use tokio_postgres::Row;

use crate::connection::columns::{Connection, all, first, get, run};
use crate::connection::fault::Res;

const COLUMNS: &str = "device_hash, user_hash, application, scopes, identity, address, created_ms, expires_ms, interval_ms, polled_ms, \
                       grant_id, denied_ms, used_ms, for_grant, reason, life_ms, jkt, device_name";

pub(crate) async fn insert(on: &impl Connection, request: &DeviceRequestRecord) -> Res<()> {
    let sql = format!(
        "INSERT INTO device_requests ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)"
    );
    run(
        on,
        &sql,
        &[
            &request.device_hash,
            &request.user_hash,
            &request.application,
            &request.scopes,
            &request.identity,
            &request.address,
            &request.created_ms,
            &request.expires_ms,
            &request.interval_ms,
            &request.polled_ms,
            &request.grant,
            &request.denied_ms,
            &request.used_ms,
            &request.for_grant,
            &request.reason,
            &request.life_ms,
            &request.jkt,
            &request.device_name,
        ],
    )
    .await?;
    Ok(())
}

pub(crate) async fn of_device(on: &impl Connection, hash: &str) -> Res<Option<DeviceRequestRecord>> {
    first(on, &format!("SELECT {COLUMNS} FROM device_requests WHERE device_hash = $1"), &[&hash], read).await
}

pub(crate) async fn of_person(on: &impl Connection, hash: &str) -> Res<Option<DeviceRequestRecord>> {
    first(on, &format!("SELECT {COLUMNS} FROM device_requests WHERE user_hash = $1"), &[&hash], read).await
}

/// Of the grants of one identity, those that nobody has answered.
pub(crate) async fn open_of(on: &impl Connection, identity: &str, now_ms: i64) -> Res<Vec<DeviceRequestRecord>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM device_requests WHERE for_grant IN (SELECT id FROM grants WHERE identity = $1 AND revoked_ms IS NULL AND expires_ms > $2)
           AND expires_ms > $2 AND grant_id IS NULL AND denied_ms IS NULL ORDER BY created_ms, user_hash"
    );
    all(on, &sql, &[&identity, &now_ms], read).await
}

/// Whether it does not come too soon. Of two at once the second waits for the row and then finds it polled.
pub(crate) async fn note_poll(on: &impl Connection, hash: &str, at_ms: i64) -> Res<bool> {
    let sql = "UPDATE device_requests SET polled_ms = $2 WHERE device_hash = $1 AND (polled_ms IS NULL OR polled_ms + interval_ms <= $2)";
    if run(on, sql, &[&hash, &at_ms]).await? == 1 {
        return Ok(true);
    }
    let sql = "UPDATE device_requests SET interval_ms = least(interval_ms + $2, $3) WHERE device_hash = $1 AND interval_ms < $3";
    run(on, sql, &[&hash, &DEVICE_SLOW_DOWN_MS, &LONGEST_DEVICE_INTERVAL_MS]).await?;
    Ok(false)
}

/// Whether this is the answer.
pub(crate) async fn answer(on: &impl Connection, hash: &str, grant: Option<&str>, at_ms: i64) -> Res<bool> {
    let open = "user_hash = $1 AND expires_ms > $2 AND denied_ms IS NULL";
    let touched = match grant {
        Some(grant) => {
            let sql = format!("UPDATE device_requests SET grant_id = $3 WHERE {open} AND (grant_id IS NULL OR grant_id = $3)");
            run(on, &sql, &[&hash, &at_ms, &grant]).await?
        }
        None => run(on, &format!("UPDATE device_requests SET denied_ms = $2 WHERE {open} AND grant_id IS NULL"), &[&hash, &at_ms]).await?,
    };
    Ok(touched == 1)
}

/// Whether this is the first use; or, where it is asked `again`, this call's own.
pub(crate) async fn note_use(on: &impl Connection, hash: &str, at_ms: i64, by: &str, again: bool) -> Res<bool> {
    let sql = "UPDATE device_requests SET used_ms = $2, used_by = $3
               WHERE device_hash = $1 AND (used_ms IS NULL OR ($4 AND used_by = $3)) AND grant_id IS NOT NULL";
    Ok(run(on, sql, &[&hash, &at_ms, &by, &again]).await? == 1)
}

fn read(row: &Row) -> Res<DeviceRequestRecord> {
    Ok(DeviceRequestRecord {
        device_hash: get(row, 0)?,
        user_hash: get(row, 1)?,
        application: get(row, 2)?,
        scopes: get(row, 3)?,
        identity: get(row, 4)?,
        address: get(row, 5)?,
        created_ms: get(row, 6)?,
        expires_ms: get(row, 7)?,
        interval_ms: get(row, 8)?,
        polled_ms: get(row, 9)?,
        grant: get(row, 10)?,
        denied_ms: get(row, 11)?,
        used_ms: get(row, 12)?,
        for_grant: get(row, 13)?,
        reason: get(row, 14)?,
        life_ms: get(row, 15)?,
        jkt: get(row, 16)?,
        device_name: get(row, 17)?,
    })
}
