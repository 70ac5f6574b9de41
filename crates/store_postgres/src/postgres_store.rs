//! The store itself: which call goes to which file.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{Object, Pool, Transaction as Reading};
use falconer_store::{
    AccountLink, AccountRecord, AuditEntry, AuditStart, Change, Changed, ClientRecord, Committed, ConsentRecord, CredentialsCount,
    CredentialsRecord, Deciding, DeviceRequestRecord, EachClient, Epoch, GrantIdentityRecord, GrantRecord, GrantSecretRecord, History,
    HistoryFilter, HistoryPart, IdentityRecord, InitialTokenRecord, KeyRing, KeySource, Loaded, LogoutRecord, PasskeyRecord, PendingLink,
    PersonRecord, ProviderPeople, Randomness, RefreshRecord, Refreshed, ResealFrom, Resealed, Result, Revision, ScimBounds, ScimFilter,
    ScimGroupNow, ScimKind, ScimMembers, ScimPush, ScimRecord, ScimStanding, ScimSubject, ScimWritten, Sealer, Secret, SessionApplication,
    SessionRecord, Step, Store, StoreError, UsesLeft, Write,
};
use futures_util::future::join;
use tokio_postgres::IsolationLevel;

use crate::aggregates::grants::logouts;
use crate::aggregates::{accounts, attempts, clients, credentials, grants, identities, people, refreshes, scim, sessions};
use crate::connection::columns::{finds, first, get};
use crate::connection::connect::{self, NeededVersion, Sessions};
use crate::connection::contact::{Connector, Contact, NodeId};
use crate::connection::fault::{Fault, Res};
use crate::connection::migrate::{migrate, who_keeps_waiting};
use crate::connection::shared::is_shared;
use crate::connection::transaction::Transaction;
use crate::following::{feed, history, load};
use crate::steps::audit;
use crate::steps::writing::{Writing, lock_revision, revision_and_floor};
use crate::{steps, upkeep};

/// How often a start tries to bring the schema up to date while something holds a table, and the pause in between. Whoever waits for a table keeps out all who come
/// after, so it waits a second only.
const MIGRATION_TRIES: u32 = 60;
const MIGRATION_PAUSE: Duration = Duration::from_secs(1);
/// Whoever waits for a table is in the way of others, so who holds it is asked soon.
const LOOKED_FOR_WHO_HOLDS: Duration = Duration::from_millis(300);

/// A store in one schema of a PostgreSQL database.
pub struct PostgresStore {
    pool: Pool,
    /// For the change feed and nothing else.
    following: Pool,
    /// Shared with the threads that open what is loaded.
    sealer: Arc<Sealer>,
    contact: Contact,
    sessions: Sessions,
    node: NodeId,
    needed: NeededVersion,
}

impl PostgresStore {
    /// Opens the database of a URL such as `postgres://user@host/database` for a node, and brings its schema up to date. Other nodes may have it open too. Steps of
    /// both are refused as stale where they touch each other, and each is notified of what the other one commits. `notify_url` is where to listen for that. It is
    /// needed where `url` leads through something that keeps no session, such as pgbouncer. `random` must fill with bytes fit for cryptography.
    ///
    /// Errors: [`Unavailable`](StoreError::Unavailable) when it can't be reached, [`Newer`](StoreError::Newer) when its schema is newer,
    /// [`Corrupt`](StoreError::Corrupt) when it is not Falconer's, or a URL is none. No error repeats a URL, because it may hold a password.
    pub async fn open(url: &str, notify_url: Option<&str>, keys: KeyRing, random: Randomness) -> Result<PostgresStore> {
        let node = draw_id(&random);
        let connector = Connector::of(url)?;
        let contact = Contact::of_a_node(node.clone(), connector.clone(), notify_url.map(Connector::of).transpose()?);
        let store = PostgresStore::connect(connector, Sessions::of(notify_url), keys, random, contact, node).await?;
        // The first connection that follows is made meanwhile: all is loaded on it next. Both are large, and have no place on the stack of whoever opens a store.
        let (warned, following) = join(Box::pin(store.warn_where_shared()), Box::pin(store.following_connection())).await;
        warned.and(following.map(drop))?;
        Ok(store)
    }

    /// Where nobody has said that there is a pooler, what is set on a connection is relied on.
    async fn warn_where_shared(&self) -> Result<()> {
        if self.sessions == Sessions::Kept && is_shared(&*self.connection().await?, &*self.connection().await?).await? {
            tracing::warn!(
                "database_url leads through something that gives each transaction another connection, such as pgbouncer in transaction mode, and notify_url is not \
                 set: changes of other servers are found by looking only, and the time limits of statements do not hold. Set notify_url to the database itself"
            );
        }
        Ok(())
    }

    /// Opens it for a command. It gets no notifications of others.
    ///
    /// Errors: as [`PostgresStore::open`].
    pub async fn open_beside(url: &str, notify_url: Option<&str>, keys: KeyRing, random: Randomness) -> Result<PostgresStore> {
        let node = draw_id(&random);
        let connector = Connector::of(url)?;
        PostgresStore::connect(connector.clone(), Sessions::of(notify_url), keys, random, Contact::of_a_command(connector), node).await
    }

    /// Where the database of a URL is, for people: host, port and name, never the password.
    pub fn place(url: &str) -> Result<String> {
        Ok(connect::shown(&connect::config(url)?))
    }

    /// Whether the database of the URL holds a Falconer. `notify_url` as for [`PostgresStore::open`].
    pub async fn is_there(url: &str, notify_url: Option<&str>) -> Result<bool> {
        let (connection, _watched) = one_connection(url, notify_url).await?;
        Ok(finds(&connection, "SELECT 1 WHERE to_regclass('falconer_migrations') IS NOT NULL", &[]).await?)
    }

    /// How many people each provider has, and by what they are known. A Falconer has to be there; it is only read, and its schema stays as it is.
    pub async fn people_of_providers(url: &str, notify_url: Option<&str>) -> Result<Vec<ProviderPeople>> {
        let (connection, _watched) = one_connection(url, notify_url).await?;
        Ok(identities::people_of_providers(&connection).await?)
    }

    async fn connect(
        connector: Connector,
        sessions: Sessions,
        keys: KeyRing,
        random: Randomness,
        contact: Contact,
        node: NodeId,
    ) -> Result<PostgresStore> {
        let following = connect::pool(connector.clone(), sessions, contact.silence(), connect::TO_FOLLOW)?;
        let needed = NeededVersion::default();
        let pool = connect::writing_pool(connector, sessions, contact.silence())?;
        let store = PostgresStore { pool, following, sealer: Arc::new(Sealer::new(keys, random)), contact, sessions, node, needed };
        // Large, with no place on the stack of whoever opens a store.
        Box::pin(store.bring_up_to_date()).await?;
        Ok(store)
    }

    async fn bring_up_to_date(&self) -> Result<()> {
        let mut tries = 0;
        loop {
            let connection = self.connection().await?;
            let transaction = self.begin(&connection).await?;
            let (done, in_the_way) = self.migrate_next(&transaction).await;
            match done {
                Err(fault) if fault.is_lock_not_free() && tries < MIGRATION_TRIES => {
                    let held_by = in_the_way.as_deref().unwrap_or("nobody any more");
                    tracing::warn!(
                        held_by,
                        "the schema of the database can't be brought up to date yet: something holds one of its tables, such as pg_dump"
                    );
                    tries += 1;
                }
                done => {
                    let is_more = done?;
                    commit(transaction).await?;
                    if is_more {
                        continue;
                    }
                    return Ok(());
                }
            }
            drop(transaction);
            drop(connection);
            tokio::time::sleep(MIGRATION_PAUSE).await;
        }
    }

    /// The next file of the schema; and who kept it waiting, which only another connection can see.
    async fn migrate_next(&self, on: &Transaction<'_>) -> (Res<bool>, Option<String>) {
        let process = match first(on, "SELECT pg_backend_pid()", &[], |row| get(row, 0)).await {
            Ok(process) => process.unwrap_or_default(),
            Err(fault) => return (Err(fault), None),
        };
        let in_the_way = Mutex::new(None);
        let looking = async {
            loop {
                tokio::time::sleep(LOOKED_FOR_WHO_HOLDS).await;
                let Ok(other) = self.connection().await else { continue };
                if let Ok(Some(found)) = who_keeps_waiting(&other, process).await {
                    *in_the_way.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
                }
            }
        };
        let done = tokio::select! {
            done = migrate(on) => done,
            () = looking => Ok(true),
        };
        (done, in_the_way.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Seals and opens with these keys from now on; what was sealed with others opens only if the ring holds them.
    pub fn use_keys(&self, keys: KeyRing) {
        self.sealer.use_keys(keys);
    }

    /// Those of what was being changed, under the lock of all changes: whoever changes records has it, and whoever notes uses without it waits for nothing. So nobody
    /// waits in a circle.
    async fn note_busy_uses(&self, connection: &Object, busy: &UsesLeft) -> Result<()> {
        if *busy == UsesLeft::default() {
            return Ok(());
        }
        let transaction = self.begin_locked(connection).await?;
        clients::note_uses(&transaction, &busy.clients, true).await?;
        grants::note_uses(&transaction, &busy.grants, true).await?;
        commit(transaction).await
    }

    async fn begin<'c>(&self, connection: &'c Object) -> Result<Transaction<'c>> {
        Ok(Transaction::begin(connection, self.sessions).await?)
    }

    /// Begins with the lock of all changes.
    async fn begin_locked<'c>(&self, connection: &'c Object) -> Result<Transaction<'c>> {
        let transaction = Transaction::on(connection, self.sessions);
        transaction.begin_with(lock_revision(&transaction)).await?;
        Ok(transaction)
    }

    /// Takes the steps in this transaction, and commits it.
    async fn take_steps(&self, transaction: Transaction<'_>, decided_in: Epoch, steps: &[(Step, Write)]) -> Result<Committed> {
        let Some((first, others)) = steps.split_first() else { return Ok(Committed::default()) };
        let writing = Writing::begin(transaction, &self.node, decided_in, &first.0, !others.is_empty()).await?;
        self.take_rest(writing, &first.1, others).await
    }

    /// The writes of steps whose first one is begun, and the commit.
    async fn take_rest<'a>(&'a self, mut writing: Writing<'a>, write: &'a Write, others: &'a [(Step, Write)]) -> Result<Committed> {
        let found = writing.present();
        steps::apply(&mut writing, &self.sealer, write).await?;
        let mut revisions = Vec::with_capacity(others.len().saturating_add(1));
        for (step, write) in others {
            revisions.push(writing.next(step).await?);
            steps::apply(&mut writing, &self.sealer, write).await?;
        }
        revisions.push(writing.commit().await?);
        Ok(Committed { found, revisions })
    }

    async fn connection(&self) -> Result<Object> {
        self.contact.check()?;
        connect::take_looked_at(&self.pool, &self.needed).await
    }

    /// For what is written outside of steps, which look at the schema by themselves.
    async fn connection_to_write(&self) -> Result<Object> {
        let connection = self.connection().await?;
        // One that was taken again has looked already.
        if Object::metrics(&connection).recycle_count == 0 {
            self.needed.look(&connection).await?;
        }
        self.needed.check()?;
        Ok(connection)
    }

    /// What a use is known by, should its answer be lost.
    fn draw_use(&self) -> String {
        self.sealer.draw::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// For the change feed: whoever keeps all other connections busy must not cut it off.
    async fn following_connection(&self) -> Result<Object> {
        self.contact.check()?;
        connect::take(&self.following).await
    }
}

/// The outcome of a use that may be asked for twice; nothing where the first answer was lost, so that nobody knows whether it is used. Where the second one does not
/// come either, it stays so.
fn unless_lost(outcome: Result<bool>, lost: &mut Option<StoreError>) -> Option<Result<bool>> {
    match (outcome, lost.take()) {
        (Err(error @ StoreError::Unknown(_)), None) => {
            *lost = Some(error);
            None
        }
        (Err(_), Some(lost)) => Some(Err(lost)),
        (outcome, _) => Some(outcome),
    }
}

fn draw_id(random: &Randomness) -> NodeId {
    let mut bytes = [0; 8];
    random(&mut bytes);
    NodeId::from_random(bytes)
}

/// One to look at a database with, and what asks whether it still answers: for as long as it lives.
async fn one_connection(url: &str, notify_url: Option<&str>) -> Result<(Object, Contact)> {
    let connector = Connector::of(url)?;
    let watched = Contact::of_a_command(connector.clone());
    let connection = connect::take(&connect::pool(connector, Sessions::of(notify_url), watched.silence(), 1)?).await?;
    Ok((connection, watched))
}

/// A transaction that sees one state.
async fn one_state(connection: &mut Object) -> Result<Reading<'_>> {
    let started = connection.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true).start().await;
    Ok(started.map_err(Fault::from)?)
}

async fn commit(transaction: Transaction<'_>) -> Result<()> {
    transaction.commit().await
}

#[async_trait]
impl Store for PostgresStore {
    async fn load_each(&self, mut each: EachClient) -> Result<Loaded> {
        let mut connection = self.following_connection().await?;
        let reading = one_state(&mut connection).await?;
        reading.batch_execute(connect::WITHOUT_END).await.map_err(Fault::from)?;
        Ok(load::everything(&reading, &self.sealer, &mut each).await?)
    }

    async fn revision(&self) -> Result<Revision> {
        Ok(revision_and_floor(&self.connection().await?, "SELECT revision, feed_floor FROM meta").await?.0)
    }

    async fn changes_since(&self, since: Revision, limit: u32) -> Result<Vec<Change>> {
        let mut connection = self.following_connection().await?;
        Ok(feed::since(&one_state(&mut connection).await?, since, limit).await?)
    }

    async fn changed_records(&self, since: Revision, limit: u32) -> Result<Changed> {
        let mut connection = self.following_connection().await?;
        Ok(feed::records(&one_state(&mut connection).await?, &self.sealer, since, limit).await?)
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn wait_for_notification(&self, count: u64) -> (u64, Option<Revision>) {
        self.contact.wait_for_notification(count).await
    }

    async fn history(&self) -> Result<History> {
        Ok(history::standing(&self.connection().await?).await?.history)
    }

    async fn begin_history(&self, instead_of: Epoch, same_until: Revision) -> Result<History> {
        Ok(history::begin(&self.connection_to_write().await?, &self.sealer, &self.node, instead_of, same_until).await?)
    }

    async fn client(&self, client_id: &str) -> Result<Option<ClientRecord>> {
        Ok(clients::one(&self.connection().await?, &self.sealer, client_id).await?)
    }

    async fn grant(&self, id: &str) -> Result<Option<GrantRecord>> {
        Ok(grants::one(&self.connection().await?, id).await?)
    }

    async fn person(&self, id: &str) -> Result<Option<PersonRecord>> {
        Ok(people::one(&self.connection().await?, id).await?)
    }

    async fn identity(&self, identity: &str) -> Result<Option<IdentityRecord>> {
        Ok(identities::one(&self.connection().await?, identity).await?)
    }

    async fn commit(&self, decided_in: Epoch, steps: Vec<(Step, Write)>) -> Result<Committed> {
        let Some(((first, write), others)) = steps.split_first() else { return Ok(Committed::default()) };
        // The first statement is what looks at the connection. Where it can't be written to, others may do: as many as there may be in the pool, and a new one.
        for _ in 0..connect::CONNECTIONS {
            self.contact.check()?;
            let connection = connect::take(&self.pool).await?;
            let transaction = Transaction::on(&connection, self.sessions);
            match Writing::begin(transaction, &self.node, decided_in, first, !others.is_empty()).await {
                Err(fault) if fault.is_of_the_connection() => {}
                begun => return self.take_rest(begun?, write, others).await,
            }
            connect::give_up(connection);
        }
        let connection = self.connection().await?;
        self.take_steps(Transaction::on(&connection, self.sessions), decided_in, &steps).await
    }

    async fn commit_locked(&self, deciding: Deciding) -> Result<Committed> {
        let connection = self.connection().await?;
        let transaction = self.begin_locked(&connection).await?;
        match deciding.await {
            Some((decided_in, steps)) => self.take_steps(transaction, decided_in, &steps).await,
            None => Ok(Committed::default()),
        }
    }

    async fn grants_of(&self, identity: &str) -> Result<Vec<GrantRecord>> {
        Ok(grants::of_identity(&self.connection().await?, identity).await?)
    }

    async fn open_grants_of(&self, identity: &str, now_ms: i64) -> Result<Vec<GrantRecord>> {
        Ok(grants::open_of_identity(&self.connection().await?, identity, now_ms).await?)
    }

    async fn last_grant_to(&self, identity: &str, target_origin: &str) -> Result<Option<GrantRecord>> {
        Ok(grants::last_to(&self.connection().await?, identity, target_origin).await?)
    }

    async fn grant_by_nonce(&self, identity: &str, nonce: &str) -> Result<Option<GrantRecord>> {
        Ok(grants::by_nonce(&self.connection().await?, identity, nonce).await?)
    }

    async fn insert_grant_secret(&self, secret: &GrantSecretRecord) -> Result<()> {
        Ok(grants::secrets::insert(&self.connection_to_write().await?, secret).await?)
    }

    async fn grant_secret(&self, hash: &str) -> Result<Option<GrantSecretRecord>> {
        Ok(grants::secrets::one(&self.connection().await?, hash).await?)
    }

    async fn application_of_grant(&self, grant: &str) -> Result<Option<String>> {
        Ok(grants::secrets::application_of(&self.connection().await?, grant).await?)
    }

    async fn use_grant_secret(&self, hash: &str, at_ms: i64) -> Result<bool> {
        let (by, mut lost) = (self.draw_use(), None);
        loop {
            let again = lost.is_some();
            let used = async { Ok(grants::secrets::note_use(&self.connection_to_write().await?, hash, at_ms, &by, again).await?) };
            if let Some(outcome) = unless_lost(used.await, &mut lost) {
                return outcome;
            }
        }
    }

    async fn put_grant_identity(&self, identity: &GrantIdentityRecord) -> Result<()> {
        Ok(grants::identities::put(&self.connection_to_write().await?, identity).await?)
    }

    async fn grant_identity(&self, grant: &str) -> Result<Option<GrantIdentityRecord>> {
        Ok(grants::identities::one(&self.connection().await?, grant).await?)
    }

    async fn insert_device_request(&self, request: &DeviceRequestRecord) -> Result<()> {
        Ok(grants::devices::insert(&self.connection_to_write().await?, request).await?)
    }

    async fn device_request(&self, device_hash: &str) -> Result<Option<DeviceRequestRecord>> {
        Ok(grants::devices::of_device(&self.connection().await?, device_hash).await?)
    }

    async fn device_request_of_person(&self, user_hash: &str) -> Result<Option<DeviceRequestRecord>> {
        Ok(grants::devices::of_person(&self.connection().await?, user_hash).await?)
    }

    async fn open_requests_of(&self, identity: &str, now_ms: i64) -> Result<Vec<DeviceRequestRecord>> {
        Ok(grants::devices::open_of(&self.connection().await?, identity, now_ms).await?)
    }

    async fn note_device_poll(&self, device_hash: &str, at_ms: i64) -> Result<bool> {
        Ok(grants::devices::note_poll(&self.connection_to_write().await?, device_hash, at_ms).await?)
    }

    async fn answer_device_request(&self, user_hash: &str, grant: Option<&str>, at_ms: i64) -> Result<bool> {
        Ok(grants::devices::answer(&self.connection_to_write().await?, user_hash, grant, at_ms).await?)
    }

    async fn use_device_request(&self, device_hash: &str, at_ms: i64) -> Result<bool> {
        let (by, mut lost) = (self.draw_use(), None);
        loop {
            let again = lost.is_some();
            let used = async { Ok(grants::devices::note_use(&self.connection_to_write().await?, device_hash, at_ms, &by, again).await?) };
            if let Some(outcome) = unless_lost(used.await, &mut lost) {
                return outcome;
            }
        }
    }

    async fn grants_revoked_since(&self, since_ms: i64, limit: u32) -> Result<Vec<String>> {
        Ok(grants::revoked_since(&self.connection().await?, since_ms, limit).await?)
    }

    async fn open_grants_for(&self, application: &str, now_ms: i64) -> Result<Vec<GrantRecord>> {
        Ok(grants::open_for(&self.connection().await?, application, now_ms).await?)
    }

    async fn initial_tokens(&self) -> Result<Vec<InitialTokenRecord>> {
        Ok(grants::initial_tokens::every(&self.connection().await?).await?)
    }

    async fn initial_token(&self, hash: &str) -> Result<Option<InitialTokenRecord>> {
        Ok(grants::initial_tokens::one(&self.connection().await?, hash).await?)
    }

    async fn remember_consent(&self, consent: &ConsentRecord) -> Result<()> {
        Ok(grants::consents::put(&self.connection_to_write().await?, consent).await?)
    }

    async fn forget_consent(&self, identity: &str, application: &str) -> Result<()> {
        Ok(grants::consents::forget(&self.connection_to_write().await?, identity, application).await?)
    }

    async fn consents_of(&self, identity: &str) -> Result<Vec<ConsentRecord>> {
        Ok(grants::consents::of(&self.connection().await?, identity).await?)
    }

    async fn account(&self, name: &str) -> Result<Option<AccountRecord>> {
        Ok(accounts::one(&self.connection().await?, name).await?)
    }

    async fn accounts(&self) -> Result<Vec<AccountRecord>> {
        Ok(accounts::every(&self.connection().await?).await?)
    }

    async fn credentials(&self, account: &str) -> Result<CredentialsRecord> {
        let mut connection = self.connection().await?;
        Ok(credentials::of_account(&one_state(&mut connection).await?, &self.sealer, account).await?)
    }

    async fn credentials_counts(&self) -> Result<Vec<CredentialsCount>> {
        Ok(credentials::counts(&self.connection().await?, &self.sealer).await?)
    }

    async fn passkey(&self, id: &str) -> Result<Option<PasskeyRecord>> {
        Ok(credentials::passkey(&self.connection().await?, id).await?)
    }

    async fn note_passkey_use(&self, id: &str, counter: u32, at_ms: i64) -> Result<bool> {
        Ok(credentials::note_use(&self.connection_to_write().await?, id, counter, at_ms).await?)
    }

    async fn put_setup_link(&self, hash: &str, expires_ms: i64) -> Result<()> {
        Ok(accounts::put_setup_link(&self.connection_to_write().await?, hash, expires_ms).await?)
    }

    async fn setup_link_valid(&self, hash: &str, now_ms: i64) -> Result<bool> {
        Ok(accounts::setup_link_valid(&self.connection().await?, hash, now_ms).await?)
    }

    async fn account_link(&self, hash: &str) -> Result<Option<AccountLink>> {
        Ok(accounts::links::one(&self.connection().await?, hash).await?)
    }

    async fn account_link_of(&self, account: &str) -> Result<Option<AccountLink>> {
        Ok(accounts::links::of_account(&self.connection().await?, account).await?)
    }

    async fn insert_session(&self, session: &SessionRecord) -> Result<()> {
        Ok(sessions::insert(&self.connection_to_write().await?, &self.sealer, session).await?)
    }

    async fn session(&self, id_hash: &str) -> Result<Option<SessionRecord>> {
        Ok(sessions::one(&self.connection().await?, &self.sealer, id_hash).await?)
    }

    async fn touch_session(&self, id_hash: &str, now_ms: i64) -> Result<()> {
        Ok(sessions::touch(&self.connection_to_write().await?, id_hash, now_ms).await?)
    }

    async fn delete_session(&self, id_hash: &str) -> Result<()> {
        Ok(sessions::delete(&self.connection_to_write().await?, id_hash).await?)
    }

    async fn delete_sessions_of(&self, identity: &str, except: Option<&str>) -> Result<u64> {
        Ok(sessions::delete_of(&self.connection_to_write().await?, &[identity], except).await?)
    }

    async fn sessions_of(&self, identity: &str) -> Result<Vec<SessionRecord>> {
        Ok(sessions::of_identity(&self.connection().await?, &self.sealer, identity).await?)
    }

    async fn succeed_session(&self, id_hash: &str, successor: &str) -> Result<()> {
        let connection = self.connection_to_write().await?;
        let transaction = self.begin(&connection).await?;
        sessions::succeed(&transaction, id_hash, successor).await?;
        commit(transaction).await
    }

    async fn note_session_application(&self, application: &SessionApplication) -> Result<Option<String>> {
        Ok(logouts::note(&self.connection_to_write().await?, application).await?)
    }

    async fn knows_session(&self, sid: &str) -> Result<bool> {
        Ok(logouts::knows(&self.connection().await?, sid).await?)
    }

    async fn claim_due_logouts(&self, now_ms: i64, until_ms: i64, limit: u32, of_one: u32) -> Result<Vec<LogoutRecord>> {
        Ok(logouts::claim_due(&self.connection_to_write().await?, now_ms, until_ms, limit, of_one).await?)
    }

    async fn put_logout_off(&self, sid: &str, due_ms: i64) -> Result<()> {
        Ok(logouts::put_off(&self.connection_to_write().await?, sid, due_ms).await?)
    }

    async fn delete_logout(&self, sid: &str) -> Result<()> {
        Ok(logouts::delete(&self.connection_to_write().await?, sid).await?)
    }

    async fn put_pending_link(&self, link: &PendingLink) -> Result<()> {
        Ok(sessions::put_pending_link(&self.connection_to_write().await?, link).await?)
    }

    async fn pending_link(&self, session: &str) -> Result<Option<PendingLink>> {
        Ok(sessions::pending_link(&self.connection().await?, session).await?)
    }

    async fn delete_pending_link(&self, session: &str) -> Result<()> {
        Ok(sessions::delete_pending_link(&self.connection_to_write().await?, session).await?)
    }

    async fn note_known_by(&self, provider: &str, known_by: &str, before: &str) -> Result<String> {
        Ok(identities::note_known_by(&self.connection_to_write().await?, provider, known_by, before).await?)
    }

    async fn known_by(&self, provider: &str) -> Result<Option<String>> {
        Ok(identities::known_by(&self.connection().await?, provider).await?)
    }

    async fn put_refresh(&self, refresh: &RefreshRecord) -> Result<()> {
        Ok(refreshes::put(&self.connection_to_write().await?, &self.sealer, refresh).await?)
    }

    async fn keep_refresh_handle(&self, identity: &str, handle: &Secret) -> Result<()> {
        Ok(refreshes::keep_handle(&self.connection_to_write().await?, &self.sealer, identity, handle).await?)
    }

    async fn delete_refresh(&self, identity: &str) -> Result<()> {
        Ok(refreshes::delete(&self.connection_to_write().await?, identity).await?)
    }

    async fn claim_due_refreshes(&self, now_ms: i64, until_ms: i64, limit: u32) -> Result<Vec<RefreshRecord>> {
        Ok(refreshes::claim_due(&self.connection_to_write().await?, &self.sealer, now_ms, until_ms, limit).await?)
    }

    async fn claim_refresh(&self, identity: &str, now_ms: i64, until_ms: i64) -> Result<Option<RefreshRecord>> {
        Ok(refreshes::claim(&self.connection_to_write().await?, &self.sealer, identity, now_ms, until_ms).await?)
    }

    async fn insert_scim(&self, push: &ScimPush, record: &ScimRecord, bounds: ScimBounds) -> Result<ScimWritten> {
        let connection = self.connection_to_write().await?;
        let transaction = self.begin(&connection).await?;
        let done = scim::write::insert(&transaction, push, record, bounds).await?;
        commit(transaction).await?;
        Ok(done)
    }

    async fn update_scim(&self, push: &ScimPush, record: &ScimRecord, bounds: ScimBounds) -> Result<ScimWritten> {
        let connection = self.connection_to_write().await?;
        let transaction = self.begin(&connection).await?;
        let done = scim::write::update(&transaction, push, record, bounds).await?;
        commit(transaction).await?;
        Ok(done)
    }

    async fn change_scim_members(
        &self,
        push: &ScimPush,
        change: &ScimMembers,
        bounds: ScimBounds,
    ) -> Result<std::result::Result<ScimGroupNow, ScimWritten>> {
        let connection = self.connection_to_write().await?;
        let transaction = self.begin(&connection).await?;
        let done = scim::write::change_members(&transaction, push, change, bounds).await?;
        commit(transaction).await?;
        Ok(done)
    }

    async fn delete_scim(&self, push: &ScimPush, directory: &str, kind: ScimKind, id: &str, version: Option<i64>) -> Result<ScimWritten> {
        let connection = self.connection_to_write().await?;
        let transaction = self.begin(&connection).await?;
        let done = scim::write::delete(&transaction, push, directory, kind, id, version).await?;
        commit(transaction).await?;
        Ok(done)
    }

    async fn scim(&self, directory: &str, kind: ScimKind, id: &str) -> Result<Option<ScimRecord>> {
        let mut connection = self.connection().await?;
        Ok(scim::read::one(&one_state(&mut connection).await?, directory, kind, id).await?)
    }

    async fn scim_list(
        &self,
        directory: &str,
        kind: ScimKind,
        filter: &ScimFilter,
        start: u32,
        count: u32,
    ) -> Result<(u64, Vec<ScimRecord>)> {
        let mut connection = self.connection().await?;
        Ok(scim::read::list(&one_state(&mut connection).await?, directory, kind, filter, start, count).await?)
    }

    async fn scim_standing(&self, directory: &str, subject: ScimSubject<'_>) -> Result<Option<ScimStanding>> {
        let mut connection = self.connection().await?;
        Ok(scim::read::standing(&one_state(&mut connection).await?, directory, subject).await?)
    }

    async fn pending_scim(&self, directory: &str, after: &str, limit: u32) -> Result<Vec<ScimStanding>> {
        let mut connection = self.connection().await?;
        Ok(scim::read::pending(&one_state(&mut connection).await?, directory, after, limit).await?)
    }

    async fn note_scim_followed(&self, directory: &str, followed: &[(String, i64)]) -> Result<Vec<String>> {
        let connection = self.connection_to_write().await?;
        let transaction = self.begin(&connection).await?;
        let done = scim::write::note_followed(&transaction, directory, followed).await?;
        commit(transaction).await?;
        Ok(done)
    }

    async fn remember_origin(&self, identity: &str, origin: &str, at_ms: i64) -> Result<()> {
        Ok(sessions::remember_origin(&self.connection_to_write().await?, identity, origin, at_ms).await?)
    }

    async fn forget_origin(&self, identity: &str, origin: &str) -> Result<()> {
        Ok(sessions::forget_origin(&self.connection_to_write().await?, identity, origin).await?)
    }

    async fn remembered_origins(&self, identity: &str) -> Result<Vec<(String, i64)>> {
        Ok(sessions::remembered_origins(&self.connection().await?, identity).await?)
    }

    async fn attempts(&self, key: &str, now_ms: i64, window_ms: i64) -> Result<u32> {
        Ok(attempts::count(&self.connection().await?, key, now_ms, window_ms).await?)
    }

    async fn note_attempt(&self, key: &str, now_ms: i64, window_ms: i64) -> Result<u32> {
        let connection = self.connection_to_write().await?;
        let transaction = self.begin(&connection).await?;
        let count = attempts::note(&transaction, key, now_ms, window_ms).await?;
        commit(transaction).await?;
        Ok(count)
    }

    async fn clear_attempts(&self, key: &str) -> Result<()> {
        Ok(attempts::clear(&self.connection_to_write().await?, key).await?)
    }

    async fn note_uses(&self, clients: &[(String, i64)], grants: &[(String, i64, i64)]) -> Result<UsesLeft> {
        let connection = self.connection_to_write().await?;
        let transaction = self.begin(&connection).await?;
        let clients = clients::note_uses(&transaction, clients, false).await?;
        let grants = grants::note_uses(&transaction, grants, false).await?;
        commit(transaction).await?;
        let busy = UsesLeft { clients, grants };
        // From here on the others are noted: whoever tried all of it again would count those twice.
        match self.note_busy_uses(&connection, &busy).await {
            Ok(()) => Ok(UsesLeft::default()),
            Err(error @ StoreError::Fatal(_)) => Err(error),
            // It may have been done.
            Err(StoreError::Unknown(_)) => Ok(UsesLeft::default()),
            Err(error) => {
                tracing::warn!(%error, "uses of what is being changed are not noted yet");
                Ok(busy)
            }
        }
    }

    async fn entity_history(&self, entity_type: &str, entity_id: &str, from: AuditStart, limit: u32) -> Result<Vec<AuditEntry>> {
        Ok(audit::of_entity(&self.connection().await?, entity_type, entity_id, from, limit).await?)
    }

    async fn actor_history(&self, actor: &str, from: AuditStart, limit: u32) -> Result<Vec<AuditEntry>> {
        Ok(audit::of_actor(&self.connection().await?, actor, from, limit).await?)
    }

    async fn grant_history(&self, grant: &str, entity_type: &str, limit: u32) -> Result<Vec<AuditEntry>> {
        Ok(audit::of_grant(&self.connection().await?, grant, entity_type, limit).await?)
    }

    async fn whole_history(&self, wanted: &HistoryFilter, most_looked: u32, limit: u32) -> Result<HistoryPart> {
        Ok(audit::whole(&self.connection().await?, wanted, most_looked, limit).await?)
    }

    async fn take_lease(&self, name: &str, holder: &str, for_ms: i64) -> Result<bool> {
        Ok(upkeep::leases::take(&self.connection_to_write().await?, name, holder, for_ms).await?)
    }

    async fn end_lease(&self, name: &str, holder: &str) -> Result<()> {
        Ok(upkeep::leases::end(&self.connection().await?, name, holder).await?)
    }

    fn key_prints(&self) -> Vec<String> {
        self.sealer.keys().prints()
    }

    async fn note_keys(&self, keys: &[String], for_ms: i64) -> Result<()> {
        Ok(upkeep::node_keys::note(&self.connection_to_write().await?, self.node.as_str(), keys, for_ms).await?)
    }

    async fn keys_of_nodes(&self) -> Result<Vec<Vec<String>>> {
        Ok(upkeep::node_keys::all(&self.connection().await?).await?)
    }

    async fn prune(&self, now_ms: i64) -> Result<()> {
        let connection = self.connection_to_write().await?;
        for ended in upkeep::prune::all(now_ms) {
            loop {
                let transaction = self.begin_locked(&connection).await?;
                let is_all = ended.remove(&transaction).await?;
                commit(transaction).await?;
                if is_all {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn prune_audit(&self, before_ms: i64, limit: u32) -> Result<u64> {
        Ok(audit::prune(&self.connection_to_write().await?, before_ms, limit).await?)
    }

    async fn prune_grants(&self, before_ms: i64, limit: u32) -> Result<u64> {
        let connection = self.connection_to_write().await?;
        let transaction = self.begin_locked(&connection).await?;
        let removed = grants::prune(&transaction, before_ms, limit).await?;
        commit(transaction).await?;
        Ok(removed)
    }

    async fn reseal(&self, from: &ResealFrom, limit: u32) -> Result<Resealed> {
        let connection = self.connection_to_write().await?;
        let transaction = self.begin_locked(&connection).await?;
        let done = upkeep::reseal(&transaction, &self.sealer, from, limit).await?;
        commit(transaction).await?;
        Ok(done)
    }

    async fn needs_older_keys(&self) -> Result<bool> {
        let mut connection = self.connection().await?;
        let reading = one_state(&mut connection).await?;
        reading.batch_execute(connect::WITHOUT_END).await.map_err(Fault::from)?;
        Ok(upkeep::needs_older_keys(&reading, &self.sealer).await?)
    }

    fn read_keys_with(&self, source: KeySource) {
        self.sealer.read_keys_with(source);
    }

    fn refresh_keys(&self) -> Refreshed {
        self.sealer.refresh_keys()
    }

    async fn ping(&self) -> Result<()> {
        let connection = self.connection_to_write().await?;
        revision_and_floor(&connection, "SELECT revision, feed_floor FROM meta").await?;
        let sql = "SELECT 1 WHERE pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'";
        if finds(&connection, sql, &[]).await? {
            return Err(StoreError::Unavailable("the database takes no writes at present".to_owned()));
        }
        Ok(())
    }
}
