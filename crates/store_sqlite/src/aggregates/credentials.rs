//! What people sign in to local accounts with.

use falconer_store::{
    CredentialsChange, CredentialsCount, CredentialsRecord, PasskeyRecord, Place, RecoveryCodeRecord, SealedKind, Sealer, StoreError,
};
use rusqlite::{Connection, Row, params};

use crate::connection::columns::{all, first, list, read_list, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const PASSKEY: &str = "id, account, public_key, counter, transports, aaguid, resident, label, created_ms, last_used_ms, user_handle";

/// Where the hash of an account's password was sealed.
pub(crate) fn password_place(account: &str) -> Place<'_> {
    SealedKind::Account.place(account)
}

/// Where the hash of a recovery code lives.
pub(crate) fn code_place(id: &str) -> Place<'_> {
    SealedKind::RecoveryCode.place(id)
}

pub(crate) fn of_account(connection: &Connection, sealer: &Sealer, account: &str) -> Res<CredentialsRecord> {
    let passkeys = format!("SELECT {PASSKEY} FROM passkeys WHERE account = ?1 ORDER BY created_ms, id");
    let codes = "SELECT id, hash, created_ms, used_ms FROM recovery_codes WHERE account = ?1 ORDER BY position";
    let codes = all(connection, codes, params![account], |row| {
        let id: String = row.get(0)?;
        // One that does not open is not there; the others are.
        let Ok(hash) = sealer.open_row(&sealer.keys(), SealedKind::RecoveryCode, &id, row.get_ref(1)?.as_blob()?) else { return Ok(None) };
        Ok(Some(RecoveryCodeRecord { id, hash, created_ms: row.get(2)?, used_ms: row.get(3)? }))
    })?;
    Ok(CredentialsRecord {
        account: account.to_owned(),
        password_hash: password(connection, sealer, account)?,
        passkeys: all(connection, &passkeys, params![account], read_passkey)?,
        recovery_codes: codes.into_iter().flatten().collect(),
    })
}

/// How many there are, by account.
pub(crate) fn counts(connection: &Connection, sealer: &Sealer) -> Res<Vec<CredentialsCount>> {
    let sql = "SELECT name, (SELECT hash FROM passwords WHERE account = name), (SELECT count(*) FROM passkeys WHERE account = name),
                 (SELECT count(*) FROM recovery_codes WHERE account = name AND used_ms IS NULL) FROM accounts ORDER BY name";
    let keys = sealer.keys();
    all(connection, sql, [], |row| {
        let account: String = row.get(0)?;
        let sealed = row.get_ref(1)?.as_blob_or_null()?;
        let opens = |sealed| sealer.open_row(&keys, SealedKind::Account, &account, sealed).map(zeroize::Zeroizing::new).is_ok();
        Ok(CredentialsCount { has_password: sealed.is_some_and(opens), passkeys: row.get(2)?, recovery_codes: row.get(3)?, account })
    })
}

pub(crate) fn passkey(connection: &Connection, id: &str) -> Res<Option<PasskeyRecord>> {
    first(connection, &format!("SELECT {PASSKEY} FROM passkeys WHERE id = ?1"), params![id], read_passkey)
}

pub(crate) fn note_use(connection: &Connection, id: &str, counter: u32, at_ms: i64) -> Res<bool> {
    let sql = "UPDATE passkeys SET counter = ?2, last_used_ms = max(coalesce(last_used_ms, ?3), ?3)
               WHERE id = ?1 AND (counter < ?2 OR (counter = 0 AND ?2 = 0))";
    Ok(run(connection, sql, params![id, counter, at_ms])? == 1)
}

pub(crate) fn change(writing: &mut Writing<'_>, sealer: &Sealer, account: &str, change: &CredentialsChange) -> Res<()> {
    let known = first(writing.connection, "SELECT 1 FROM accounts WHERE name = ?1 AND deleted = 0", params![account], |_| Ok(()))?;
    if known.is_none() {
        return Err(StoreError::Conflict.into());
    }
    match change {
        CredentialsChange::SetPassword { hash, instead_of } => {
            if instead_of.is_some() && password(writing.connection, sealer, account)? != *instead_of {
                return Err(StoreError::Conflict.into());
            }
            set_password(writing.connection, sealer, account, hash.as_deref())?;
        }
        CredentialsChange::AddPasskey(passkey) => insert_passkey(writing.connection, passkey)?,
        CredentialsChange::RenamePasskey { id, label } => {
            let sql = "UPDATE passkeys SET label = ?3 WHERE id = ?1 AND account = ?2";
            changes_one(run(writing.connection, sql, params![id, account, label])?)?;
        }
        CredentialsChange::RemovePasskey { id, keep_a_way_in } => {
            changes_one(run(writing.connection, "DELETE FROM passkeys WHERE id = ?1 AND account = ?2", params![id, account])?)?;
            let left = "SELECT 1 FROM passkeys WHERE account = ?1 LIMIT 1";
            let is_left = first(writing.connection, left, params![account], |_| Ok(()))?.is_some();
            if *keep_a_way_in && !is_left && password(writing.connection, sealer, account)?.is_none() {
                return Err(StoreError::Conflict.into());
            }
        }
        CredentialsChange::ReplaceRecoveryCodes(codes) => {
            run(writing.connection, "DELETE FROM recovery_codes WHERE account = ?1", params![account])?;
            let sql = "INSERT INTO recovery_codes (id, account, position, hash, created_ms, used_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            for (position, code) in (0_i64..).zip(codes) {
                let hash = sealer.seal(&code_place(&code.id), &code.hash)?;
                run(writing.connection, sql, params![code.id, account, position, hash, code.created_ms, code.used_ms])?;
            }
        }
        CredentialsChange::UseRecoveryCode(id) => {
            let sql = "UPDATE recovery_codes SET used_ms = ?3 WHERE id = ?1 AND account = ?2 AND used_ms IS NULL";
            changes_one(run(writing.connection, sql, params![id, account, writing.step.at_ms])?)?;
        }
        CredentialsChange::RemoveRecoveryCode(id) => {
            changes_one(run(writing.connection, "DELETE FROM recovery_codes WHERE id = ?1 AND account = ?2", params![id, account])?)?;
        }
    }
    writing.changed_silently();
    writing.audit("account", account)
}

/// Writes the hash of a password, or takes it away.
pub(crate) fn set_password(connection: &Connection, sealer: &Sealer, account: &str, hash: Option<&str>) -> Res<()> {
    let Some(hash) = hash else {
        run(connection, "DELETE FROM passwords WHERE account = ?1", params![account])?;
        return Ok(());
    };
    let sql = "INSERT INTO passwords (account, hash) VALUES (?1, ?2) ON CONFLICT (account) DO UPDATE SET hash = excluded.hash";
    run(connection, sql, params![account, sealer.seal(&password_place(account), hash)?])?;
    Ok(())
}

/// Nothing is left that opens the account.
pub(crate) fn delete(connection: &Connection, account: &str) -> Res<()> {
    for table in ["passwords", "passkeys", "recovery_codes"] {
        run(connection, &format!("DELETE FROM {table} WHERE account = ?1"), params![account])?;
    }
    Ok(())
}

/// One that does not open is none: the account needs a new password.
fn password(connection: &Connection, sealer: &Sealer, account: &str) -> Res<Option<String>> {
    let found = first(connection, "SELECT hash FROM passwords WHERE account = ?1", params![account], |row| {
        Ok(sealer.open_row(&sealer.keys(), SealedKind::Account, account, row.get_ref(0)?.as_blob()?).ok())
    });
    found.map(Option::flatten)
}

fn insert_passkey(connection: &Connection, passkey: &PasskeyRecord) -> Res<()> {
    let sql = format!("INSERT INTO passkeys ({PASSKEY}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    let values = params![
        passkey.id,
        passkey.account,
        passkey.public_key,
        passkey.counter,
        list(&passkey.transports)?,
        passkey.aaguid,
        passkey.resident,
        passkey.label,
        passkey.created_ms,
        passkey.last_used_ms,
        passkey.user_handle,
    ];
    run(connection, &sql, values)?;
    Ok(())
}

fn read_passkey(row: &Row<'_>) -> Res<PasskeyRecord> {
    Ok(PasskeyRecord {
        id: row.get(0)?,
        account: row.get(1)?,
        public_key: row.get(2)?,
        counter: row.get(3)?,
        transports: read_list(row, 4)?,
        aaguid: row.get(5)?,
        resident: row.get(6)?,
        label: row.get(7)?,
        created_ms: row.get(8)?,
        last_used_ms: row.get(9)?,
        user_handle: row.get(10)?,
    })
}

fn changes_one(rows: usize) -> Res<()> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Conflict.into()) }
}
