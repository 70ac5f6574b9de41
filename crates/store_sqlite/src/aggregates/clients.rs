//! Clients.

use std::sync::mpsc::sync_channel;

use falconer_store::{
    ChangeKind, ClientRecord, Damaged, EachClient, KeyKind, KeyRing, OldToken, Place, RevokedCertificates, SealedKind, Sealer, Secret,
    StaticChange, StoreError, static_changes,
};
use rusqlite::{Connection, Row, params};

use crate::connection::columns::{all, first, list, read_list, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const COLUMNS: &str = "client_id, description, access_token, expires_us, created_ms, last_modified_ms, last_date_used_ms,
    last_rotated_ms, delete_on_expiration, scopes, disabled, grant_id, revoked_certificates, old_access_token,
    old_token_ends_ms";

/// Where a client's token lives.
pub(crate) fn token_place(client_id: &str) -> Place<'_> {
    SealedKind::Client.place(client_id)
}

/// Where the one before it lives.
pub(crate) fn old_token_place(client_id: &str) -> Place<'_> {
    SealedKind::OldToken.place(client_id)
}

pub(crate) fn one(connection: &Connection, sealer: &Sealer, client_id: &str) -> Res<Option<ClientRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM clients WHERE client_id = ?1");
    first(connection, &sql, params![client_id], |row| read(row, sealer, &sealer.keys()))
}

/// How many rows change hands at a time while all are read, and how often the reader may be ahead.
const ROWS: usize = 512;
const AHEAD: usize = 8;
/// Threads that open tokens meanwhile, which takes longer than reading them.
const OPENERS: usize = 2;

/// Gives all clients to `each` in ascending order. Answers how many sealed values there were, and which are damaged.
pub(crate) fn each(connection: &Connection, sealer: &Sealer, each: &mut EachClient) -> Res<(usize, Vec<Damaged>)> {
    let keys = &*sealer.keys();
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM clients ORDER BY client_id"))?;
    std::thread::scope(|scope| {
        let (mut to_open, mut opened) = (Vec::new(), Vec::new());
        for _ in 0..OPENERS {
            let (rows, sealed) = sync_channel::<Vec<SealedClient>>(AHEAD);
            let (clients, open) = sync_channel(AHEAD);
            scope.spawn(move || {
                // Where nobody takes them any more, one before has failed.
                sealed.into_iter().map(|rows| open_all(rows, sealer, keys)).try_for_each(|found| clients.send(found))
            });
            to_open.push(rows);
            opened.push(open);
        }
        // The openers take turns, so that the clients come back in order.
        let taking = scope.spawn(move || {
            let (mut count, mut damaged) = (0_usize, Vec::new());
            for open in opened.iter().cycle() {
                let Ok(clients) = open.recv() else { break };
                for opened in clients {
                    count = count.saturating_add(opened.values);
                    damaged.extend(opened.damaged);
                    each(opened.record);
                }
            }
            Ok((count, damaged))
        });
        let mut found = statement.query([])?;
        for rows in to_open.iter().cycle() {
            let mut ready = Vec::with_capacity(ROWS);
            while ready.len() < ROWS
                && let Some(row) = found.next()?
            {
                ready.push(SealedClient::read(row)?);
            }
            let is_last = ready.len() < ROWS;
            if rows.send(ready).is_err() || is_last {
                break;
            }
        }
        drop(to_open);
        taking.join().unwrap_or_else(|_| Err(StoreError::Corrupt("opening the tokens of clients failed".to_owned()).into()))
    })
}

fn open_all(rows: Vec<SealedClient>, sealer: &Sealer, keys: &KeyRing) -> Vec<OpenedClient> {
    rows.into_iter().map(|row| row.open(sealer, keys)).collect()
}

/// Adds the client, or replaces one that differs. Answers what happened to it and how the audit calls that; `None` where nothing happened.
pub(crate) fn put_differing(connection: &Connection, sealer: &Sealer, client: &ClientRecord) -> Res<Option<(ChangeKind, &'static str)>> {
    let Some(stored) = one(connection, sealer, &client.client_id)? else {
        put(connection, sealer, client, "")?;
        return Ok(Some((ChangeKind::Created, "created")));
    };
    let written = client.written_over(&stored);
    if stored == written {
        return Ok(None);
    }
    put(connection, sealer, client, OVERWRITE)?;
    let same_token = stored.access_token == written.access_token;
    Ok(Some((ChangeKind::Updated, if same_token { "updated" } else { "access token set" })))
}

pub(crate) fn insert(writing: &mut Writing<'_>, sealer: &Sealer, client: &ClientRecord) -> Res<()> {
    put(writing.connection, sealer, client, "")?;
    writing.changed_and_audited(KeyKind::Client, &client.client_id, ChangeKind::Created)
}

pub(crate) fn update(writing: &mut Writing<'_>, sealer: &Sealer, client: &ClientRecord) -> Res<()> {
    if !exists(writing.connection, &client.client_id)? {
        return Err(StoreError::Conflict.into());
    }
    put(writing.connection, sealer, client, OVERWRITE)?;
    writing.changed_and_audited(KeyKind::Client, &client.client_id, ChangeKind::Updated)
}

/// An old token ends with it. Nothing where it is disabled already, or gone.
pub(crate) fn disable(writing: &mut Writing<'_>, client_id: &str) -> Res<()> {
    let sql =
        "UPDATE clients SET disabled = 1, old_access_token = NULL, old_token_ends_ms = NULL, last_modified_ms = max(last_modified_ms, ?2)
         WHERE client_id = ?1 AND disabled = 0";
    if run(writing.connection, sql, params![client_id, writing.step.at_ms])? > 0 {
        writing.changed_in_batch(KeyKind::Client, client_id, ChangeKind::Updated, "disabled")?;
    }
    Ok(())
}

pub(crate) fn delete(writing: &mut Writing<'_>, client_id: &str) -> Res<()> {
    if remove(writing.connection, client_id)? > 0 {
        writing.changed(KeyKind::Client, client_id, ChangeKind::Deleted)?;
    }
    writing.audit(KeyKind::Client.as_str(), client_id)
}

pub(crate) fn replace_static(writing: &mut Writing<'_>, sealer: &Sealer, clients: &[ClientRecord]) -> Res<()> {
    // '0' is the byte after '/'.
    let sql = format!(
        "SELECT {COLUMNS} FROM clients WHERE client_id >= 'static/' AND client_id < 'static0'
           AND NOT (client_id >= 'static/falconer/' AND client_id < 'static/falconer0')"
    );
    let keys = sealer.keys();
    let stored = all(writing.connection, &sql, [], |row| read(row, sealer, &keys))?;
    let changes = static_changes(stored, clients)?;
    for change in &changes {
        match change {
            StaticChange::Add(client) => put(writing.connection, sealer, client, "")?,
            StaticChange::Replace(client) => put(writing.connection, sealer, client, OVERWRITE)?,
            StaticChange::Remove(client_id) => drop(remove(writing.connection, client_id)?),
        }
    }
    for change in &changes {
        writing.changed(KeyKind::Client, change.client_id(), change.kind())?;
    }
    for change in &changes {
        writing.audit(KeyKind::Client.as_str(), change.client_id())?;
    }
    Ok(())
}

pub(crate) fn note_use(connection: &Connection, client_id: &str, at_ms: i64) -> Res<()> {
    let sql = "UPDATE clients SET last_date_used_ms = ?2 WHERE client_id = ?1 AND last_date_used_ms < ?2";
    run(connection, sql, params![client_id, at_ms])?;
    Ok(())
}

fn remove(connection: &Connection, client_id: &str) -> Res<usize> {
    run(connection, "DELETE FROM clients WHERE client_id = ?1", params![client_id])
}

fn exists(connection: &Connection, client_id: &str) -> Res<bool> {
    let found = first(connection, "SELECT 1 FROM clients WHERE client_id = ?1", params![client_id], |_| Ok(()))?;
    Ok(found.is_some())
}

/// An empty token, and no old token that ends, stand for what did not open here: what is stored stays, because it opens once its key has come.
const OVERWRITE: &str = "ON CONFLICT (client_id) DO UPDATE SET description = excluded.description,
    access_token = iif(excluded.access_token = x'', access_token, excluded.access_token), expires_us = excluded.expires_us, created_ms = excluded.created_ms,
    last_modified_ms = excluded.last_modified_ms, last_date_used_ms = max(last_date_used_ms, excluded.last_date_used_ms),
    last_rotated_ms = excluded.last_rotated_ms, delete_on_expiration = excluded.delete_on_expiration, scopes = excluded.scopes,
    disabled = excluded.disabled, grant_id = excluded.grant_id, revoked_certificates = excluded.revoked_certificates,
    old_access_token = iif(excluded.old_token_ends_ms IS NULL, NULL, coalesce(excluded.old_access_token, old_access_token)), old_token_ends_ms = excluded.old_token_ends_ms";

fn put(connection: &Connection, sealer: &Sealer, client: &ClientRecord, on_conflict: &str) -> Res<()> {
    let sql =
        format!("INSERT INTO clients ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) {on_conflict}");
    let sealed = sealer.seal_known(&token_place(&client.client_id), &client.access_token)?.unwrap_or_default();
    let old = client.old_token.as_ref();
    let sealed_old = old.map(|old| sealer.seal_known(&old_token_place(&client.client_id), &old.token)).transpose()?.flatten();
    if on_conflict.is_empty() && (sealed.is_empty() || sealed_old.is_some() != old.is_some()) {
        return Err(StoreError::Corrupt(format!("the client {:?} can't be added: its token did not open", client.client_id)).into());
    }
    let values = params![
        client.client_id,
        client.description,
        sealed,
        client.expires_us,
        client.created_ms,
        client.last_modified_ms,
        client.last_date_used_ms,
        client.last_rotated_ms,
        client.delete_on_expiration,
        list(&client.scopes)?,
        client.disabled,
        client.grant,
        client.revoked.to_text(),
        sealed_old,
        old.map(|old| old.ends_ms),
    ];
    run(connection, &sql, values)?;
    Ok(())
}

fn read(row: &Row<'_>, sealer: &Sealer, keys: &KeyRing) -> Res<ClientRecord> {
    Ok(SealedClient::read(row)?.open(sealer, keys).record)
}

/// A row whose tokens are still sealed.
struct SealedClient {
    token: Vec<u8>,
    /// The one before it, and its end.
    old: Option<(Vec<u8>, i64)>,
    /// Without its tokens.
    record: ClientRecord,
}

/// A row whose tokens were opened.
struct OpenedClient {
    record: ClientRecord,
    /// How many there were.
    values: usize,
    damaged: Vec<Damaged>,
}

impl SealedClient {
    fn read(row: &Row<'_>) -> Res<SealedClient> {
        let record = without_tokens(row)?;
        let (token, ends_ms): (Option<Vec<u8>>, Option<i64>) = (row.get(13)?, row.get(14)?);
        Ok(SealedClient { token: row.get(2)?, old: token.zip(ends_ms), record })
    }

    fn open(self, sealer: &Sealer, keys: &KeyRing) -> OpenedClient {
        let (id, mut damaged) = (&self.record.client_id, Vec::new());
        let values = 1 + usize::from(self.old.is_some());
        let access_token = sealer.open_row(keys, SealedKind::Client, id, &self.token).map(Secret::new).unwrap_or_else(|damage| {
            damaged.push(damage);
            sealer.token_of_nobody()
        });
        let old_token = self.old.map(|(sealed, ends_ms)| {
            let token = sealer.open_row(keys, SealedKind::OldToken, id, &sealed).map(Secret::new).unwrap_or_else(|damage| {
                damaged.push(damage);
                sealer.token_of_nobody()
            });
            OldToken { token, ends_ms }
        });
        OpenedClient { record: ClientRecord { access_token, old_token, ..self.record }, values, damaged }
    }
}

fn read_revoked(row: &Row<'_>, column: usize) -> Res<RevokedCertificates> {
    let Some(text) = row.get_ref(column)?.as_str_or_null()? else { return Ok(RevokedCertificates::default()) };
    RevokedCertificates::from_text(text).ok_or_else(|| StoreError::Corrupt("revoked certificates can't be read".to_owned()).into())
}

fn without_tokens(row: &Row<'_>) -> Res<ClientRecord> {
    Ok(ClientRecord {
        client_id: row.get(0)?,
        description: row.get(1)?,
        access_token: Secret::new(""),
        old_token: None,
        expires_us: row.get(3)?,
        created_ms: row.get(4)?,
        last_modified_ms: row.get(5)?,
        last_date_used_ms: row.get(6)?,
        last_rotated_ms: row.get(7)?,
        delete_on_expiration: row.get(8)?,
        scopes: read_list(row, 9)?,
        disabled: row.get(10)?,
        grant: row.get(11)?,
        revoked: read_revoked(row, 12)?,
    })
}
