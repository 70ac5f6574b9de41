//! What people sign in to local accounts with.

use falconer_store::{
    CredentialsChange, CredentialsCount, CredentialsRecord, PasskeyRecord, Place, RecoveryCodeRecord, SealedKind, Sealer, StoreError,
};
use tokio_postgres::Row;

use crate::connection::columns::{Connection, all, at_once, finds, first, get, run};
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

pub(crate) async fn of_account(on: &impl Connection, sealer: &Sealer, account: &str) -> Res<CredentialsRecord> {
    let passkeys = format!("SELECT {PASSKEY} FROM passkeys WHERE account = $1 ORDER BY created_ms, id");
    let codes = "SELECT id, hash, created_ms, used_ms FROM recovery_codes WHERE account = $1 ORDER BY position";
    let codes = all(on, codes, &[&account], |row| {
        let id: String = get(row, 0)?;
        // One that does not open is not there; the others are.
        let Ok(hash) = sealer.open_row(&sealer.keys(), SealedKind::RecoveryCode, &id, get(row, 1)?) else { return Ok(None) };
        Ok(Some(RecoveryCodeRecord { id, hash, created_ms: get(row, 2)?, used_ms: get(row, 3)? }))
    })
    .await?;
    Ok(CredentialsRecord {
        account: account.to_owned(),
        password_hash: password(on, sealer, account).await?,
        passkeys: all(on, &passkeys, &[&account], read_passkey).await?,
        recovery_codes: codes.into_iter().flatten().collect(),
    })
}

/// How many there are, by account.
pub(crate) async fn counts(on: &impl Connection, sealer: &Sealer) -> Res<Vec<CredentialsCount>> {
    let sql = "SELECT name, (SELECT hash FROM passwords WHERE account = name), (SELECT count(*) FROM passkeys WHERE account = name),
                 (SELECT count(*) FROM recovery_codes WHERE account = name AND used_ms IS NULL) FROM accounts ORDER BY name";
    let keys = sealer.keys();
    all(on, sql, &[], |row| {
        let account: String = get(row, 0)?;
        let sealed: Option<&[u8]> = get(row, 1)?;
        let opens = |sealed| sealer.open_row(&keys, SealedKind::Account, &account, sealed).map(zeroize::Zeroizing::new).is_ok();
        let count = |column| Ok::<u32, crate::connection::fault::Fault>(u32::try_from(get::<i64>(row, column)?).unwrap_or(u32::MAX));
        Ok(CredentialsCount { has_password: sealed.is_some_and(opens), passkeys: count(2)?, recovery_codes: count(3)?, account })
    })
    .await
}

pub(crate) async fn passkey(on: &impl Connection, id: &str) -> Res<Option<PasskeyRecord>> {
    first(on, &format!("SELECT {PASSKEY} FROM passkeys WHERE id = $1"), &[&id], read_passkey).await
}

pub(crate) async fn note_use(on: &impl Connection, id: &str, counter: u32, at_ms: i64) -> Res<bool> {
    let sql = "UPDATE passkeys SET counter = $2, last_used_ms = greatest(coalesce(last_used_ms, $3), $3)
               WHERE id = $1 AND (counter < $2 OR (counter = 0 AND $2 = 0))";
    Ok(run(on, sql, &[&id, &i64::from(counter), &at_ms]).await? == 1)
}

pub(crate) async fn change(writing: &mut Writing<'_>, sealer: &Sealer, account: &str, change: &CredentialsChange) -> Res<()> {
    let on = &writing.transaction;
    if !finds(on, "SELECT 1 FROM accounts WHERE name = $1 AND NOT deleted", &[&account]).await? {
        return Err(StoreError::Conflict.into());
    }
    match change {
        CredentialsChange::SetPassword { hash, instead_of } => {
            if instead_of.is_some() && password(on, sealer, account).await? != *instead_of {
                return Err(StoreError::Conflict.into());
            }
            set_password(on, sealer, account, hash.as_deref()).await?;
        }
        CredentialsChange::AddPasskey(passkey) => insert_passkey(on, passkey).await?,
        CredentialsChange::RenamePasskey { id, label } => {
            changes_one(run(on, "UPDATE passkeys SET label = $3 WHERE id = $1 AND account = $2", &[id, &account, label]).await?)?;
        }
        CredentialsChange::RemovePasskey { id, keep_a_way_in } => {
            changes_one(run(on, "DELETE FROM passkeys WHERE id = $1 AND account = $2", &[id, &account]).await?)?;
            let is_left = finds(on, "SELECT 1 FROM passkeys WHERE account = $1 LIMIT 1", &[&account]).await?;
            if *keep_a_way_in && !is_left && password(on, sealer, account).await?.is_none() {
                return Err(StoreError::Conflict.into());
            }
        }
        CredentialsChange::ReplaceRecoveryCodes(codes) => {
            run(on, "DELETE FROM recovery_codes WHERE account = $1", &[&account]).await?;
            let sql = "INSERT INTO recovery_codes (id, account, position, hash, created_ms, used_ms) VALUES ($1, $2, $3, $4, $5, $6)";
            let inserted = (0_i64..).zip(codes).map(|(position, code)| async move {
                let hash = sealer.seal(&code_place(&code.id), &code.hash)?;
                run(on, sql, &[&code.id, &account, &position, &hash, &code.created_ms, &code.used_ms]).await
            });
            at_once(inserted).await?;
        }
        CredentialsChange::UseRecoveryCode(id) => {
            let sql = "UPDATE recovery_codes SET used_ms = $3 WHERE id = $1 AND account = $2 AND used_ms IS NULL";
            changes_one(run(on, sql, &[id, &account, &writing.step.at_ms]).await?)?;
        }
        CredentialsChange::RemoveRecoveryCode(id) => {
            changes_one(run(on, "DELETE FROM recovery_codes WHERE id = $1 AND account = $2", &[id, &account]).await?)?;
        }
    }
    writing.changed_silently();
    writing.audit("account", account);
    Ok(())
}

/// Writes the hash of a password, or takes it away.
pub(crate) async fn set_password(on: &impl Connection, sealer: &Sealer, account: &str, hash: Option<&str>) -> Res<()> {
    let Some(hash) = hash else {
        run(on, "DELETE FROM passwords WHERE account = $1", &[&account]).await?;
        return Ok(());
    };
    let sql = "INSERT INTO passwords (account, hash) VALUES ($1, $2) ON CONFLICT (account) DO UPDATE SET hash = excluded.hash";
    run(on, sql, &[&account, &sealer.seal(&password_place(account), hash)?]).await?;
    Ok(())
}

/// Nothing is left that opens the account.
pub(crate) async fn delete(on: &impl Connection, account: &str) -> Res<()> {
    for table in ["passwords", "passkeys", "recovery_codes"] {
        run(on, &format!("DELETE FROM {table} WHERE account = $1"), &[&account]).await?;
    }
    Ok(())
}

/// One that does not open is none: the account needs a new password.
async fn password(on: &impl Connection, sealer: &Sealer, account: &str) -> Res<Option<String>> {
    let found = first(on, "SELECT hash FROM passwords WHERE account = $1", &[&account], |row| {
        Ok(sealer.open_row(&sealer.keys(), SealedKind::Account, account, get(row, 0)?).ok())
    })
    .await;
    found.map(Option::flatten)
}

async fn insert_passkey(on: &impl Connection, passkey: &PasskeyRecord) -> Res<()> {
    let sql = format!("INSERT INTO passkeys ({PASSKEY}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
    run(
        on,
        &sql,
        &[
            &passkey.id,
            &passkey.account,
            &passkey.public_key,
            &i64::from(passkey.counter),
            &passkey.transports,
            &passkey.aaguid,
            &passkey.resident,
            &passkey.label,
            &passkey.created_ms,
            &passkey.last_used_ms,
            &passkey.user_handle,
        ],
    )
    .await?;
    Ok(())
}

fn read_passkey(row: &Row) -> Res<PasskeyRecord> {
    Ok(PasskeyRecord {
        id: get(row, 0)?,
        account: get(row, 1)?,
        public_key: get(row, 2)?,
        counter: u32::try_from(get::<i64>(row, 3)?).unwrap_or(u32::MAX),
        transports: get(row, 4)?,
        aaguid: get(row, 5)?,
        resident: get(row, 6)?,
        label: get(row, 7)?,
        created_ms: get(row, 8)?,
        last_used_ms: get(row, 9)?,
        user_handle: get(row, 10)?,
    })
}

fn changes_one(rows: u64) -> Res<()> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Conflict.into()) }
}
