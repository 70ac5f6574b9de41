//! Clients.

use std::pin::pin;
use std::sync::Arc;

use falconer_store::{
    ChangeKind, ClientRecord, Damaged, EachClient, KeyKind, KeyRing, OldToken, Place, RevokedCertificates, SealedKind, Sealer, Secret,
    StaticChange, StoreError, static_changes,
};
use futures_util::TryStreamExt as _;
use tokio_postgres::Row;

use crate::connection::columns::{Connection, all, at_once, first, get, run};
use crate::connection::fault::{Fault, Res};
use crate::connection::hash;
use crate::steps::writing::{NewRecord, Writing};

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

pub(crate) async fn one(on: &impl Connection, sealer: &Sealer, client_id: &str) -> Res<Option<ClientRecord>> {
    let (sql, keys) = (format!("SELECT {COLUMNS} FROM clients WHERE id_hash = $1"), sealer.keys());
    first(on, &sql, &[&hash::of(client_id)], |row| Ok(read(row, sealer, &keys)?.record)).await
}

/// Gives all clients to `each`, ascending, as they arrive; how many sealed values there were, and which are damaged.
pub(crate) async fn each(on: &impl Connection, sealer: &Arc<Sealer>, each: &mut EachClient) -> Res<(usize, Vec<Damaged>)> {
    let (mut count, mut damaged) = (0_usize, Vec::new());
    // By the index `clients_in_order`. Were the database to sort them, nothing could be read here until it had seen them all.
    let sql = format!("SELECT {COLUMNS} FROM clients ORDER BY left(client_id, {INDEXED})");
    let rows = on.rows(&sql, &[]).await?.map_err(Fault::from);
    let chunks = rows.try_chunks(OPENED_TOGETHER).map_err(|error| error.1).map_ok(|rows| read_beside(rows, sealer));
    let mut opened = pin!(chunks.try_buffered(OPENED_AT_ONCE));
    let mut alike = Alike::default();
    while let Some(clients) = opened.try_next().await? {
        for client in clients {
            count = count.saturating_add(client.values);
            damaged.extend(client.damaged);
            alike.put(client.record, each);
        }
    }
    alike.hand_on(each);
    Ok((count, damaged))
}

/// So many clients are read and opened together, and so many of these groups beside each other and beside those that arrive: opening takes as long as getting them.
const OPENED_TOGETHER: usize = 512;
const OPENED_AT_ONCE: usize = 2;

/// Reads and opens clients on a thread that may take its time.
async fn read_beside(rows: Vec<Row>, sealer: &Arc<Sealer>) -> Res<Vec<OpenedClient>> {
    let sealer = Arc::clone(sealer);
    let read_all = move || {
        let keys = sealer.keys();
        rows.iter().map(|row| read(row, &sealer, &keys)).collect()
    };
    tokio::task::spawn_blocking(read_all).await.map_err(|error| StoreError::Unavailable(error.to_string()))?
}

/// So many characters of a clientId are in the index that gives them in order.
const INDEXED: usize = 256;

/// Clients whose ids begin alike as far as the index knows them, which come in no order. Few ids are so long.
#[derive(Default)]
struct Alike(Vec<ClientRecord>);

impl Alike {
    /// One more, behind all others as far as the index knows. Hands on those that are before it.
    fn put(&mut self, client: ClientRecord, each: &mut EachClient) {
        if self.0.first().is_some_and(|first| indexed(first) != indexed(&client)) {
            self.hand_on(each);
        }
        if client.client_id.len() < INDEXED { each(client) } else { self.0.push(client) }
    }

    fn hand_on(&mut self, each: &mut EachClient) {
        self.0.sort_unstable_by(|one, other| one.client_id.cmp(&other.client_id));
        self.0.drain(..).for_each(each);
    }
}

fn indexed(client: &ClientRecord) -> &str {
    let id = client.client_id.as_str();
    let end = id.char_indices().nth(INDEXED).map_or(id.len(), |(at, _)| at);
    id.get(..end).unwrap_or(id)
}

/// Those of these clients that there are.
pub(crate) async fn among(on: &impl Connection, sealer: &Sealer, ids: &[&str]) -> Res<Vec<ClientRecord>> {
    let hashes: Vec<Vec<u8>> = ids.iter().map(|id| hash::of(id)).collect();
    let keys = sealer.keys();
    all(on, &format!("SELECT {COLUMNS} FROM clients WHERE id_hash = ANY($1)"), &[&hashes], |row| Ok(read(row, sealer, &keys)?.record)).await
}

pub(crate) async fn insert<'a>(writing: &mut Writing<'a>, sealer: &'a Sealer, client: &'a ClientRecord) -> Res<()> {
    writing.add(KeyKind::Client, &client.client_id, NewRecord::Client(client, sealer)).await
}

pub(crate) async fn update(writing: &mut Writing<'_>, sealer: &Sealer, client: &ClientRecord) -> Res<()> {
    replace(&writing.transaction, sealer, client).await?;
    writing.changed_and_audited(KeyKind::Client, &client.client_id, ChangeKind::Updated);
    Ok(())
}

/// Old tokens end with it. Those that are disabled already or gone are passed over.
pub(crate) async fn disable(writing: &mut Writing<'_>, client_ids: &[String]) -> Res<()> {
    let sql = "UPDATE clients SET disabled = true, old_access_token = NULL, old_token_ends_ms = NULL, last_modified_ms = greatest(last_modified_ms, $2)
               WHERE id_hash IN (SELECT sha256(convert_to(id, 'UTF8')) FROM unnest($1::text[]) AS i (id)) AND NOT disabled
               RETURNING client_id";
    let done: Vec<String> = all(&writing.transaction, sql, &[&client_ids, &writing.step.at_ms], |row| get(row, 0)).await?;
    let changes: Vec<_> = done.iter().map(|id| (KeyKind::Client, id.as_str(), ChangeKind::Updated, "disabled")).collect();
    writing.changed_in_batch(&changes);
    Ok(())
}

pub(crate) async fn delete(writing: &mut Writing<'_>, client_id: &str) -> Res<()> {
    if remove(&writing.transaction, client_id).await? > 0 {
        writing.changed(KeyKind::Client, client_id, ChangeKind::Deleted);
    }
    writing.audit(KeyKind::Client.as_str(), client_id);
    Ok(())
}

pub(crate) async fn replace_static(writing: &mut Writing<'_>, sealer: &Sealer, clients: &[ClientRecord]) -> Res<()> {
    let sql =
        format!("SELECT {COLUMNS} FROM clients WHERE starts_with(client_id, 'static/') AND NOT starts_with(client_id, 'static/falconer/')");
    let keys = sealer.keys();
    let stored = all(&writing.transaction, &sql, &[], |row| Ok(read(row, sealer, &keys)?.record)).await?;
    let changes = static_changes(stored, clients)?;
    let on = &writing.transaction;
    let written = changes.iter().map(|change| async move {
        match change {
            StaticChange::Add(client) => add(on, sealer, client).await,
            StaticChange::Replace(client) => replace(on, sealer, client).await,
            StaticChange::Remove(client_id) => remove(on, client_id).await.map(drop),
        }
    });
    at_once(written).await?;
    for change in &changes {
        writing.changed(KeyKind::Client, change.client_id(), change.kind());
    }
    for change in &changes {
        writing.audit(KeyKind::Client.as_str(), change.client_id());
    }
    Ok(())
}

/// Notes last uses. Whoever does not wait gets those that are being changed at this moment, and that were not noted. Whoever waits has the lock of the revision.
pub(crate) async fn note_uses(on: &impl Connection, uses: &[(String, i64)], waits: bool) -> Res<Vec<(String, i64)>> {
    if uses.is_empty() {
        return Ok(Vec::new());
    }
    let (ids, times): (Vec<&str>, Vec<i64>) = uses.iter().map(|(id, at_ms)| (id.as_str(), *at_ms)).unzip();
    let busy = if waits { "" } else { "SKIP LOCKED" };
    let sql = format!(
        "WITH used AS (SELECT id, sha256(convert_to(id, 'UTF8')) AS id_hash, max(at_ms) AS at_ms
                 FROM unnest($1::text[], $2::bigint[]) AS u (id, at_ms) GROUP BY id),
               free AS MATERIALIZED (SELECT c.id_hash FROM clients c JOIN used USING (id_hash) FOR NO KEY UPDATE OF c {busy}),
               noted AS (UPDATE clients c SET last_date_used_ms = used.at_ms FROM used
                 WHERE c.id_hash = used.id_hash AND used.id_hash IN (SELECT id_hash FROM free) AND c.last_date_used_ms < used.at_ms)
               SELECT used.id, used.at_ms FROM used JOIN clients USING (id_hash) WHERE id_hash NOT IN (SELECT id_hash FROM free)"
    );
    all(on, &sql, &[&ids, &times], |row| Ok((get(row, 0)?, get(row, 1)?))).await
}

async fn remove(on: &impl Connection, client_id: &str) -> Res<u64> {
    run(on, "DELETE FROM clients WHERE id_hash = $1", &[&hash::of(client_id)]).await
}

pub(crate) async fn add(on: &impl Connection, sealer: &Sealer, client: &ClientRecord) -> Res<()> {
    let sql =
        format!("INSERT INTO clients (id_hash, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)");
    let (token, old) = sealed(sealer, client)?;
    if token.is_none() || old.is_some() != client.old_token.is_some() {
        return Err(StoreError::Corrupt(format!("the client {:?} can't be added: its token did not open", client.client_id)).into());
    }
    put(on, &sql, client, token, old).await.map(drop)
}

/// Writes all but the last use, which never goes back, and tokens that did not open here: a node that has the key opens them. Conflict when it is gone.
pub(crate) async fn replace(on: &impl Connection, sealer: &Sealer, client: &ClientRecord) -> Res<()> {
    let sql =
        "UPDATE clients SET client_id = $2, description = $3, access_token = coalesce($4, access_token), expires_us = $5, created_ms = $6, last_modified_ms = $7,
                 last_date_used_ms = greatest(last_date_used_ms, $8), last_rotated_ms = $9, delete_on_expiration = $10, scopes = $11,
                 disabled = $12, grant_id = $13, revoked_certificates = $14,
                 old_access_token = CASE WHEN $16::bigint IS NULL THEN NULL ELSE coalesce($15, old_access_token) END,
                 old_token_ends_ms = $16 WHERE id_hash = $1";
    let (token, old) = sealed(sealer, client)?;
    if put(on, sql, client, token, old).await? == 0 { Err(StoreError::Conflict.into()) } else { Ok(()) }
}

/// A sealed value; nothing for what did not open here.
type Sealed = Option<Vec<u8>>;

/// The token and the one before it.
fn sealed(sealer: &Sealer, client: &ClientRecord) -> Res<(Sealed, Sealed)> {
    let old = client.old_token.as_ref().map(|old| sealer.seal_known(&old_token_place(&client.client_id), &old.token)).transpose()?;
    Ok((sealer.seal_known(&token_place(&client.client_id), &client.access_token)?, old.flatten()))
}

async fn put(on: &impl Connection, sql: &str, client: &ClientRecord, sealed: Sealed, sealed_old: Sealed) -> Res<u64> {
    let id_hash = hash::of(&client.client_id);
    run(
        on,
        sql,
        &[
            &id_hash,
            &client.client_id,
            &client.description,
            &sealed,
            &client.expires_us,
            &client.created_ms,
            &client.last_modified_ms,
            &client.last_date_used_ms,
            &client.last_rotated_ms,
            &client.delete_on_expiration,
            &client.scopes,
            &client.disabled,
            &client.grant,
            &client.revoked.to_text(),
            &sealed_old,
            &client.old_token.as_ref().map(|old| old.ends_ms),
        ],
    )
    .await
}

/// A row whose tokens were opened.
struct OpenedClient {
    record: ClientRecord,
    /// How many there were.
    values: usize,
    damaged: Vec<Damaged>,
}

fn read(row: &Row, sealer: &Sealer, keys: &KeyRing) -> Res<OpenedClient> {
    let (client_id, mut damaged): (String, _) = (get(row, 0)?, Vec::new());
    let access_token = sealer.open_row(keys, SealedKind::Client, &client_id, get(row, 2)?).map(Secret::new).unwrap_or_else(|damage| {
        damaged.push(damage);
        sealer.token_of_nobody()
    });
    let old = get::<Option<&[u8]>>(row, 13)?.zip(get::<Option<i64>>(row, 14)?);
    let old_token = old.map(|(sealed, ends_ms)| {
        let token = sealer.open_row(keys, SealedKind::OldToken, &client_id, sealed).map(Secret::new).unwrap_or_else(|damage| {
            damaged.push(damage);
            sealer.token_of_nobody()
        });
        OldToken { token, ends_ms }
    });
    let record = ClientRecord {
        client_id,
        description: get(row, 1)?,
        access_token,
        old_token,
        expires_us: get(row, 3)?,
        created_ms: get(row, 4)?,
        last_modified_ms: get(row, 5)?,
        last_date_used_ms: get(row, 6)?,
        last_rotated_ms: get(row, 7)?,
        delete_on_expiration: get(row, 8)?,
        scopes: get(row, 9)?,
        disabled: get(row, 10)?,
        grant: get(row, 11)?,
        revoked: read_revoked(row, 12)?,
    };
    Ok(OpenedClient { record, values: 1 + usize::from(old.is_some()), damaged })
}

fn read_revoked(row: &Row, column: usize) -> Res<RevokedCertificates> {
    let Some(text) = get::<Option<&str>>(row, column)? else { return Ok(RevokedCertificates::default()) };
    RevokedCertificates::from_text(text).ok_or_else(|| StoreError::Corrupt("revoked certificates can't be read".to_owned()).into())
}
