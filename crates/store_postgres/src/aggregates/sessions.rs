//! Sessions of browsers, their pending links, and the origins that a person has confirmed.

use falconer_store::{PendingLink, Place, SealedKind, Sealer, SessionRecord, SignInMethod};
use tokio_postgres::Row;

use crate::aggregates::grants::logouts;
use crate::connection::columns::{Connection, all, finds, first, get, run};
use crate::connection::fault::Res;
use crate::connection::transaction::Transaction;

const COLUMNS: &str = "id_hash, identity, csrf, created_ms, last_seen_ms, expires_ms, user_agent, method, factors, proved_ms, address";

/// Where a session's form token lives.
pub(crate) fn csrf_place(id_hash: &str) -> Place<'_> {
    SealedKind::Session.place(id_hash)
}

pub(crate) async fn insert(on: &impl Connection, sealer: &Sealer, session: &SessionRecord) -> Res<()> {
    let sql = format!("INSERT INTO sessions ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
    let csrf = sealer.seal(&csrf_place(&session.id_hash), &session.csrf)?;
    run(
        on,
        &sql,
        &[
            &session.id_hash,
            &session.identity,
            &csrf,
            &session.created_ms,
            &session.last_seen_ms,
            &session.expires_ms,
            &session.user_agent,
            &session.method.as_str(),
            &i32::try_from(session.factors).unwrap_or(i32::MAX),
            &session.proved_ms,
            &session.address,
        ],
    )
    .await?;
    Ok(())
}

pub(crate) async fn one(on: &impl Connection, sealer: &Sealer, id_hash: &str) -> Res<Option<SessionRecord>> {
    first(on, &format!("SELECT {COLUMNS} FROM sessions WHERE id_hash = $1"), &[&id_hash], |row| read(row, sealer))
        .await
        .map(Option::flatten)
}

pub(crate) async fn touch(on: &impl Connection, id_hash: &str, now_ms: i64) -> Res<()> {
    run(on, "UPDATE sessions SET last_seen_ms = $2 WHERE id_hash = $1 AND last_seen_ms < $2", &[&id_hash, &now_ms]).await?;
    Ok(())
}

pub(crate) async fn delete(on: &impl Connection, id_hash: &str) -> Res<()> {
    let sql = "WITH link AS (DELETE FROM pending_links WHERE session = $1), ended AS (DELETE FROM sessions WHERE id_hash = $1),
                 known AS (DELETE FROM session_applications WHERE session = $1 RETURNING sid, application, subject, uri)
               INSERT INTO logouts (sid, application, subject, uri, tries, due_ms, claimed_until_ms)
               SELECT sid, application, subject, uri, 0, 0, 0 FROM known ON CONFLICT DO NOTHING";
    run(on, sql, &[&id_hash]).await?;
    Ok(())
}

/// In a transaction: whoever knows of the session is with the one or with the other. Its row first, as whoever notes an application takes them.
pub(crate) async fn succeed(on: &Transaction<'_>, id_hash: &str, successor: &str) -> Res<()> {
    finds(on, "SELECT 1 FROM sessions WHERE id_hash = $1 FOR UPDATE", &[&id_hash]).await?;
    logouts::carry_on(on, id_hash, successor).await?;
    delete(on, id_hash).await
}

/// Ends all sessions of these identities but one, and what was asked and answered in them.
pub(crate) async fn delete_of(on: &impl Connection, identities: &[&str], except: Option<&str>) -> Res<u64> {
    let sql = "WITH ended AS (DELETE FROM sessions WHERE identity = ANY($1) AND ($2::text IS NULL OR id_hash <> $2) RETURNING id_hash),
                 known AS (DELETE FROM session_applications WHERE session IN (SELECT id_hash FROM ended) RETURNING sid, application, subject, uri),
                 queued AS (INSERT INTO logouts (sid, application, subject, uri, tries, due_ms, claimed_until_ms)
                   SELECT sid, application, subject, uri, 0, 0, 0 FROM known ON CONFLICT DO NOTHING),
                 links AS (DELETE FROM pending_links WHERE identity = ANY($1) OR session IN (SELECT id_hash FROM ended)),
                 unasked AS (DELETE FROM consents WHERE identity = ANY($1))
               SELECT count(*) FROM ended";
    let ended: Option<i64> = first(on, sql, &[&identities, &except], |row| get(row, 0)).await?;
    Ok(ended.and_then(|ended| u64::try_from(ended).ok()).unwrap_or(0))
}

pub(crate) async fn of_identity(on: &impl Connection, sealer: &Sealer, identity: &str) -> Res<Vec<SessionRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM sessions WHERE identity = $1 ORDER BY created_ms DESC, number DESC");
    Ok(all(on, &sql, &[&identity], |row| read(row, sealer)).await?.into_iter().flatten().collect())
}

pub(crate) async fn put_pending_link(on: &impl Connection, link: &PendingLink) -> Res<()> {
    let sql = "INSERT INTO pending_links (session, identity, expires_ms) VALUES ($1, $2, $3)
               ON CONFLICT (session) DO UPDATE SET identity = excluded.identity, expires_ms = excluded.expires_ms";
    run(on, sql, &[&link.session, &link.identity, &link.expires_ms]).await?;
    Ok(())
}

pub(crate) async fn pending_link(on: &impl Connection, session: &str) -> Res<Option<PendingLink>> {
    let sql = "SELECT session, identity, expires_ms FROM pending_links WHERE session = $1";
    let read = |row: &Row| Ok(PendingLink { session: get(row, 0)?, identity: get(row, 1)?, expires_ms: get(row, 2)? });
    first(on, sql, &[&session], read).await
}

pub(crate) async fn delete_pending_link(on: &impl Connection, session: &str) -> Res<()> {
    run(on, "DELETE FROM pending_links WHERE session = $1", &[&session]).await?;
    Ok(())
}

pub(crate) async fn remember_origin(on: &impl Connection, identity: &str, origin: &str, at_ms: i64) -> Res<()> {
    let sql = "INSERT INTO remembered_origins (identity, origin, at_ms) VALUES ($1, $2, $3)
               ON CONFLICT (identity, origin) DO UPDATE SET at_ms = excluded.at_ms";
    run(on, sql, &[&identity, &origin, &at_ms]).await?;
    Ok(())
}

pub(crate) async fn forget_origin(on: &impl Connection, identity: &str, origin: &str) -> Res<()> {
    run(on, "DELETE FROM remembered_origins WHERE identity = $1 AND origin = $2", &[&identity, &origin]).await?;
    Ok(())
}

pub(crate) async fn remembered_origins(on: &impl Connection, identity: &str) -> Res<Vec<(String, i64)>> {
    let sql = "SELECT origin, at_ms FROM remembered_origins WHERE identity = $1 ORDER BY origin";
    all(on, sql, &[&identity], |row| Ok((get(row, 0)?, get(row, 1)?))).await
}

/// Nothing where the form token does not open, or where a newer version let somebody in by a way that this one does not know: there is no such session here.
fn read(row: &Row, sealer: &Sealer) -> Res<Option<SessionRecord>> {
    let id_hash: String = get(row, 0)?;
    let Ok(csrf) = sealer.open_row(&sealer.keys(), SealedKind::Session, &id_hash, get(row, 2)?) else { return Ok(None) };
    let word: &str = get(row, 7)?;
    let Some(method) = SignInMethod::of_word(word) else { return Ok(None) };
    Ok(Some(SessionRecord {
        id_hash,
        identity: get(row, 1)?,
        csrf,
        created_ms: get(row, 3)?,
        last_seen_ms: get(row, 4)?,
        expires_ms: get(row, 5)?,
        user_agent: get(row, 6)?,
        method,
        factors: u32::try_from(get::<i32>(row, 8)?).unwrap_or(0),
        proved_ms: get(row, 9)?,
        address: get(row, 10)?,
    }))
}
