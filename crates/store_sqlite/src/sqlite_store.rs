//! The store itself: which call goes to which thread.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use falconer_store::{
    AccountLink, AccountRecord, AuditEntry, AuditStart, Change, Changed, ClientRecord, Committed, ConsentRecord, CredentialsCount,
    CredentialsRecord, DeviceRequestRecord, EachClient, Epoch, GrantIdentityRecord, GrantRecord, GrantSecretRecord, History, HistoryFilter,
    HistoryPart, IdentityRecord, InitialTokenRecord, KeyRing, KeySource, Loaded, LogoutRecord, PasskeyRecord, PendingLink, PersonRecord,
    ProviderPeople, Randomness, RefreshRecord, Refreshed, ResealFrom, Resealed, Result, Revision, ScimBounds, ScimFilter, ScimGroupNow,
    ScimKind, ScimMembers, ScimPush, ScimRecord, ScimStanding, ScimSubject, ScimWritten, Sealer, Secret, SessionApplication, SessionRecord,
    Step, Store, UsesLeft, Write,
};
use rusqlite::Connection;

use crate::aggregates::grants::logouts;
use crate::aggregates::{accounts, attempts, clients, credentials, grants, identities, people, refreshes, scim, sessions};
use crate::connection::checkpoints::checkpoints;
use crate::connection::fault::{Fault, Res};
use crate::connection::file;
use crate::connection::lock::{FileLock, Opened};
use crate::connection::memory::connect_to_new_memory;
use crate::connection::migrate::{MIGRATIONS, check_schema, migrate};
use crate::connection::worker::{Failed, Worker};
use crate::following::{feed, history, load};
use crate::steps::audit;
use crate::steps::writing::{Writing, revision_and_floor, take_steps, write};
use crate::{steps, upkeep};

/// Reads that may run at once. They are off the hot path.
const READERS: usize = 2;

/// A store in one SQLite file, or in memory.
pub struct SqliteStore {
    // Declared in the order in which they must end: the writer's connection closes the log as the last one, then goes the lock.
    /// None in memory, where the writer's connection is the only one.
    readers: Option<Worker>,
    writer: Worker,
    sealer: Arc<Sealer>,
    /// None in memory.
    opened: Option<Opened>,
    _lock: Option<FileLock>,
}

impl SqliteStore {
    /// Opens the file, makes it (mode 0600, in a folder that exists) if there is none, and brings its schema up to date. `random` must
    /// fill with bytes fit for cryptography.
    ///
    /// Errors: [`InUse`](falconer_store::StoreError::InUse) when another process has it open, [`Denied`](falconer_store::StoreError::Denied) when this user may not use
    /// it, [`Newer`](falconer_store::StoreError::Newer) when its schema is newer, [`Unavailable`](falconer_store::StoreError::Unavailable) when it can't be reached,
    /// [`Corrupt`](falconer_store::StoreError::Corrupt) when it is not Falconer's database.
    pub fn open(path: &Path, keys: KeyRing, random: Randomness) -> Result<SqliteStore> {
        let lock = FileLock::take(path)?;
        SqliteStore::open_file(path, keys, random, Some(lock))
    }

    /// Opens the file for a command, beside a server that may be running on it. Steps of both are refused as stale where they touch each other. The server takes in
    /// what was written here when it next looks at the revision.
    ///
    /// Errors: as [`SqliteStore::open`], but another process may have it open.
    pub fn open_beside(path: &Path, keys: KeyRing, random: Randomness) -> Result<SqliteStore> {
        SqliteStore::open_file(path, keys, random, None)
    }

    fn open_file(path: &Path, keys: KeyRing, random: Randomness, lock: Option<FileLock>) -> Result<SqliteStore> {
        file::prepare(path)?;
        let opened = Opened::new(path)?;
        let mut writer = file::connect(path)?;
        write(&mut writer, |connection| migrate(connection, MIGRATIONS))?;
        let readers = (0..READERS).map(|_| file::connect_to_read(path)).collect::<Result<Vec<_>>>()?;
        // The log has its name by now. SQLite does not mind a folder that it could not synchronise.
        file::sync_folder(path)?;
        let failed = Failed::default();
        Ok(SqliteStore {
            writer: Worker::start("store-writer", vec![writer], failed.clone(), checkpoints())?,
            readers: Some(Worker::start("store-reader", readers, failed, |_, _| ())?),
            sealer: Arc::new(Sealer::new(keys, random)),
            opened: Some(opened),
            _lock: lock,
        })
    }

    /// How many people each provider has, and by what they are known. The file has to be there; it is only read, and its schema stays as it is.
    pub fn people_of_providers(path: &Path) -> Result<Vec<ProviderPeople>> {
        identities::people_of_providers(&file::connect_to_read(path)?).map_err(Fault::named)
    }

    /// A store that ends with the process: for tests and for trying things out.
    pub fn in_memory(keys: KeyRing, random: Randomness) -> Result<SqliteStore> {
        Ok(SqliteStore {
            writer: Worker::start("store-writer", vec![connect_to_new_memory()?], Failed::default(), |_, _| ())?,
            readers: None,
            sealer: Arc::new(Sealer::new(keys, random)),
            opened: None,
            _lock: None,
        })
    }

    /// Seals with other keys from now on. Keep the older ones in the ring until [`Store::reseal`] has found nothing in a whole round.
    pub fn use_keys(&self, keys: KeyRing) {
        self.sealer.use_keys(keys);
    }

    async fn read<T: Send + 'static>(&self, body: impl FnOnce(&Connection, &Sealer) -> Res<T> + Send + 'static) -> Result<T> {
        let sealer = self.sealer.clone();
        let worker = self.readers.as_ref().unwrap_or(&self.writer);
        worker.call(move |connection| body(connection, &sealer).map_err(Fault::named)).await
    }

    async fn write<T: Send + 'static>(&self, body: impl FnOnce(&Connection, &Sealer) -> Res<T> + Send + 'static) -> Result<T> {
        let sealer = self.sealer.clone();
        self.on_writer(move |connection| {
            write(connection, |connection| {
                check_schema(connection)?;
                body(connection, &sealer)
            })
        })
        .await
    }

    async fn on_writer<T: Send + 'static>(&self, body: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static) -> Result<T> {
        let opened = self.opened.clone();
        self.writer
            .call(move |connection| {
                opened.as_ref().map_or(Ok(()), Opened::check)?;
                body(connection)
            })
            .await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn load_each(&self, mut each: EachClient) -> Result<Loaded> {
        self.read(move |connection, sealer| load::everything(connection, sealer, &mut each)).await
    }

    async fn revision(&self) -> Result<Revision> {
        self.read(|connection, _| Ok(revision_and_floor(connection)?.0)).await
    }

    async fn changes_since(&self, since: Revision, limit: u32) -> Result<Vec<Change>> {
        self.read(move |connection, _| feed::since(connection, since, limit)).await
    }

    async fn changed_records(&self, since: Revision, limit: u32) -> Result<Changed> {
        self.read(move |connection, sealer| feed::records(connection, sealer, since, limit)).await
    }

    /// The file is for one server: a second one does not start on it.
    fn is_shared(&self) -> bool {
        false
    }

    /// So nobody else notifies.
    async fn wait_for_notification(&self, _count: u64) -> (u64, Option<Revision>) {
        std::future::pending().await
    }

    async fn history(&self) -> Result<History> {
        self.read(|connection, _| Ok(history::standing(connection)?.history)).await
    }

    async fn begin_history(&self, instead_of: Epoch, same_until: Revision) -> Result<History> {
        self.write(move |connection, sealer| history::begin(connection, sealer, instead_of, same_until)).await
    }

    async fn client(&self, client_id: &str) -> Result<Option<ClientRecord>> {
        let client_id = client_id.to_owned();
        self.read(move |connection, sealer| clients::one(connection, sealer, &client_id)).await
    }

    async fn grant(&self, id: &str) -> Result<Option<GrantRecord>> {
        let id = id.to_owned();
        self.read(move |connection, _| grants::one(connection, &id)).await
    }

    async fn person(&self, id: &str) -> Result<Option<PersonRecord>> {
        let id = id.to_owned();
        self.read(move |connection, _| people::one(connection, &id)).await
    }

    async fn identity(&self, identity: &str) -> Result<Option<IdentityRecord>> {
        let identity = identity.to_owned();
        self.read(move |connection, _| identities::one(connection, &identity)).await
    }

    async fn commit(&self, decided_in: Epoch, steps: Vec<(Step, Write)>) -> Result<Committed> {
        let sealer = self.sealer.clone();
        let apply = move |writing: &mut Writing<'_>, write: &Write| steps::apply(writing, &sealer, write);
        self.on_writer(move |connection| take_steps(connection, decided_in, &steps, apply)).await
    }

    async fn grants_of(&self, identity: &str) -> Result<Vec<GrantRecord>> {
        let identity = identity.to_owned();
        self.read(move |connection, _| grants::of_identity(connection, &identity)).await
    }

    async fn open_grants_of(&self, identity: &str, now_ms: i64) -> Result<Vec<GrantRecord>> {
        let identity = identity.to_owned();
        self.read(move |connection, _| grants::open_of_identity(connection, &identity, now_ms)).await
    }

    async fn last_grant_to(&self, identity: &str, target_origin: &str) -> Result<Option<GrantRecord>> {
        let (identity, target_origin) = (identity.to_owned(), target_origin.to_owned());
        self.read(move |connection, _| grants::last_to(connection, &identity, &target_origin)).await
    }

    async fn grant_by_nonce(&self, identity: &str, nonce: &str) -> Result<Option<GrantRecord>> {
        let (identity, nonce) = (identity.to_owned(), nonce.to_owned());
        self.read(move |connection, _| grants::by_nonce(connection, &identity, &nonce)).await
    }

    async fn insert_grant_secret(&self, secret: &GrantSecretRecord) -> Result<()> {
        let secret = secret.clone();
        self.write(move |connection, _| grants::secrets::insert(connection, &secret)).await
    }

    async fn grant_secret(&self, hash: &str) -> Result<Option<GrantSecretRecord>> {
        let hash = hash.to_owned();
        self.read(move |connection, _| grants::secrets::one(connection, &hash)).await
    }

    async fn application_of_grant(&self, grant: &str) -> Result<Option<String>> {
        let grant = grant.to_owned();
        self.read(move |connection, _| grants::secrets::application_of(connection, &grant)).await
    }

    async fn use_grant_secret(&self, hash: &str, at_ms: i64) -> Result<bool> {
        let hash = hash.to_owned();
        self.write(move |connection, _| grants::secrets::note_use(connection, &hash, at_ms)).await
    }

    async fn put_grant_identity(&self, identity: &GrantIdentityRecord) -> Result<()> {
        let identity = identity.clone();
        self.write(move |connection, _| grants::identities::put(connection, &identity)).await
    }

    async fn grant_identity(&self, grant: &str) -> Result<Option<GrantIdentityRecord>> {
        let grant = grant.to_owned();
        self.read(move |connection, _| grants::identities::one(connection, &grant)).await
    }

    async fn insert_device_request(&self, request: &DeviceRequestRecord) -> Result<()> {
        let request = request.clone();
        self.write(move |connection, _| grants::devices::insert(connection, &request)).await
    }

    async fn device_request(&self, device_hash: &str) -> Result<Option<DeviceRequestRecord>> {
        let hash = device_hash.to_owned();
        self.read(move |connection, _| grants::devices::of_device(connection, &hash)).await
    }

    async fn device_request_of_person(&self, user_hash: &str) -> Result<Option<DeviceRequestRecord>> {
        let hash = user_hash.to_owned();
        self.read(move |connection, _| grants::devices::of_person(connection, &hash)).await
    }

    async fn open_requests_of(&self, identity: &str, now_ms: i64) -> Result<Vec<DeviceRequestRecord>> {
        let identity = identity.to_owned();
        self.read(move |connection, _| grants::devices::open_of(connection, &identity, now_ms)).await
    }

    async fn note_device_poll(&self, device_hash: &str, at_ms: i64) -> Result<bool> {
        let hash = device_hash.to_owned();
        self.write(move |connection, _| grants::devices::note_poll(connection, &hash, at_ms)).await
    }

    async fn answer_device_request(&self, user_hash: &str, grant: Option<&str>, at_ms: i64) -> Result<bool> {
        let (hash, grant) = (user_hash.to_owned(), grant.map(str::to_owned));
        self.write(move |connection, _| grants::devices::answer(connection, &hash, grant.as_deref(), at_ms)).await
    }

    async fn use_device_request(&self, device_hash: &str, at_ms: i64) -> Result<bool> {
        let hash = device_hash.to_owned();
        self.write(move |connection, _| grants::devices::note_use(connection, &hash, at_ms)).await
    }

    async fn grants_revoked_since(&self, since_ms: i64, limit: u32) -> Result<Vec<String>> {
        self.read(move |connection, _| grants::revoked_since(connection, since_ms, limit)).await
    }

    async fn open_grants_for(&self, application: &str, now_ms: i64) -> Result<Vec<GrantRecord>> {
        let application = application.to_owned();
        self.read(move |connection, _| grants::open_for(connection, &application, now_ms)).await
    }

    async fn initial_tokens(&self) -> Result<Vec<InitialTokenRecord>> {
        self.read(move |connection, _| grants::initial_tokens::every(connection)).await
    }

    async fn initial_token(&self, hash: &str) -> Result<Option<InitialTokenRecord>> {
        let hash = hash.to_owned();
        self.read(move |connection, _| grants::initial_tokens::one(connection, &hash)).await
    }

    async fn remember_consent(&self, consent: &ConsentRecord) -> Result<()> {
        let consent = consent.clone();
        self.write(move |connection, _| grants::consents::put(connection, &consent)).await
    }

    async fn forget_consent(&self, identity: &str, application: &str) -> Result<()> {
        let (identity, application) = (identity.to_owned(), application.to_owned());
        self.write(move |connection, _| grants::consents::forget(connection, &identity, &application)).await
    }

    async fn consents_of(&self, identity: &str) -> Result<Vec<ConsentRecord>> {
        let identity = identity.to_owned();
        self.read(move |connection, _| grants::consents::of(connection, &identity)).await
    }

    async fn account(&self, name: &str) -> Result<Option<AccountRecord>> {
        let name = name.to_owned();
        self.read(move |connection, _| accounts::one(connection, &name)).await
    }

    async fn accounts(&self) -> Result<Vec<AccountRecord>> {
        self.read(|connection, _| accounts::every(connection)).await
    }

    async fn credentials(&self, account: &str) -> Result<CredentialsRecord> {
        let account = account.to_owned();
        self.read(move |connection, sealer| credentials::of_account(connection, sealer, &account)).await
    }

    async fn credentials_counts(&self) -> Result<Vec<CredentialsCount>> {
        self.read(credentials::counts).await
    }

    async fn passkey(&self, id: &str) -> Result<Option<PasskeyRecord>> {
        let id = id.to_owned();
        self.read(move |connection, _| credentials::passkey(connection, &id)).await
    }

    async fn note_passkey_use(&self, id: &str, counter: u32, at_ms: i64) -> Result<bool> {
        let id = id.to_owned();
        self.write(move |connection, _| credentials::note_use(connection, &id, counter, at_ms)).await
    }

    async fn put_setup_link(&self, hash: &str, expires_ms: i64) -> Result<()> {
        let hash = hash.to_owned();
        self.write(move |connection, _| accounts::put_setup_link(connection, &hash, expires_ms)).await
    }

    async fn setup_link_valid(&self, hash: &str, now_ms: i64) -> Result<bool> {
        let hash = hash.to_owned();
        self.read(move |connection, _| accounts::setup_link_valid(connection, &hash, now_ms)).await
    }

    async fn account_link(&self, hash: &str) -> Result<Option<AccountLink>> {
        let hash = hash.to_owned();
        self.read(move |connection, _| accounts::links::one(connection, &hash)).await
    }

    async fn account_link_of(&self, account: &str) -> Result<Option<AccountLink>> {
        let account = account.to_owned();
        self.read(move |connection, _| accounts::links::of_account(connection, &account)).await
    }

    async fn insert_session(&self, session: &SessionRecord) -> Result<()> {
        let session = session.clone();
        self.write(move |connection, sealer| sessions::insert(connection, sealer, &session)).await
    }

    async fn session(&self, id_hash: &str) -> Result<Option<SessionRecord>> {
        let id_hash = id_hash.to_owned();
        self.read(move |connection, sealer| sessions::one(connection, sealer, &id_hash)).await
    }

    async fn touch_session(&self, id_hash: &str, now_ms: i64) -> Result<()> {
        let id_hash = id_hash.to_owned();
        self.write(move |connection, _| sessions::touch(connection, &id_hash, now_ms)).await
    }

    async fn delete_session(&self, id_hash: &str) -> Result<()> {
        let id_hash = id_hash.to_owned();
        self.write(move |connection, _| sessions::delete(connection, &id_hash)).await
    }

    async fn delete_sessions_of(&self, identity: &str, except: Option<&str>) -> Result<u64> {
        let (identity, except) = (identity.to_owned(), except.map(str::to_owned));
        self.write(move |connection, _| sessions::delete_of(connection, &identity, except.as_deref())).await
    }

    async fn sessions_of(&self, identity: &str) -> Result<Vec<SessionRecord>> {
        let identity = identity.to_owned();
        self.read(move |connection, sealer| sessions::of_identity(connection, sealer, &identity)).await
    }

    async fn succeed_session(&self, id_hash: &str, successor: &str) -> Result<()> {
        let (id_hash, successor) = (id_hash.to_owned(), successor.to_owned());
        self.write(move |connection, _| sessions::succeed(connection, &id_hash, &successor)).await
    }

    async fn note_session_application(&self, application: &SessionApplication) -> Result<Option<String>> {
        let application = application.clone();
        self.write(move |connection, _| logouts::note(connection, &application)).await
    }

    async fn knows_session(&self, sid: &str) -> Result<bool> {
        let sid = sid.to_owned();
        self.read(move |connection, _| logouts::knows(connection, &sid)).await
    }

    async fn claim_due_logouts(&self, now_ms: i64, until_ms: i64, limit: u32, of_one: u32) -> Result<Vec<LogoutRecord>> {
        // Each second, and mostly for nothing.
        if !self.read(move |connection, _| logouts::is_due(connection, now_ms)).await? {
            return Ok(Vec::new());
        }
        self.write(move |connection, _| logouts::claim_due(connection, now_ms, until_ms, limit, of_one)).await
    }

    async fn put_logout_off(&self, sid: &str, due_ms: i64) -> Result<()> {
        let sid = sid.to_owned();
        self.write(move |connection, _| logouts::put_off(connection, &sid, due_ms)).await
    }

    async fn delete_logout(&self, sid: &str) -> Result<()> {
        let sid = sid.to_owned();
        self.write(move |connection, _| logouts::delete(connection, &sid)).await
    }

    async fn put_pending_link(&self, link: &PendingLink) -> Result<()> {
        let link = link.clone();
        self.write(move |connection, _| sessions::put_pending_link(connection, &link)).await
    }

    async fn pending_link(&self, session: &str) -> Result<Option<PendingLink>> {
        let session = session.to_owned();
        self.read(move |connection, _| sessions::pending_link(connection, &session)).await
    }

    async fn delete_pending_link(&self, session: &str) -> Result<()> {
        let session = session.to_owned();
        self.write(move |connection, _| sessions::delete_pending_link(connection, &session)).await
    }

    async fn note_known_by(&self, provider: &str, known_by: &str, before: &str) -> Result<String> {
        let [provider, known_by, before] = [provider, known_by, before].map(str::to_owned);
        self.write(move |connection, _| identities::note_known_by(connection, &provider, &known_by, &before)).await
    }

    async fn known_by(&self, provider: &str) -> Result<Option<String>> {
        let provider = provider.to_owned();
        self.read(move |connection, _| identities::known_by(connection, &provider)).await
    }

    async fn put_refresh(&self, refresh: &RefreshRecord) -> Result<()> {
        let refresh = refresh.clone();
        self.write(move |connection, sealer| refreshes::put(connection, sealer, &refresh)).await
    }

    async fn keep_refresh_handle(&self, identity: &str, handle: &Secret) -> Result<()> {
        let (identity, handle) = (identity.to_owned(), handle.clone());
        self.write(move |connection, sealer| refreshes::keep_handle(connection, sealer, &identity, &handle)).await
    }

    async fn delete_refresh(&self, identity: &str) -> Result<()> {
        let identity = identity.to_owned();
        self.write(move |connection, _| refreshes::delete(connection, &identity)).await
    }

    async fn claim_due_refreshes(&self, now_ms: i64, until_ms: i64, limit: u32) -> Result<Vec<RefreshRecord>> {
        self.write(move |connection, sealer| refreshes::claim_due(connection, sealer, now_ms, until_ms, limit)).await
    }

    async fn claim_refresh(&self, identity: &str, now_ms: i64, until_ms: i64) -> Result<Option<RefreshRecord>> {
        let identity = identity.to_owned();
        self.write(move |connection, sealer| refreshes::claim(connection, sealer, &identity, now_ms, until_ms)).await
    }

    async fn insert_scim(&self, push: &ScimPush, record: &ScimRecord, bounds: ScimBounds) -> Result<ScimWritten> {
        let (push, record) = (push.clone(), record.clone());
        self.write(move |connection, _| scim::write::insert(connection, &push, &record, bounds)).await
    }

    async fn update_scim(&self, push: &ScimPush, record: &ScimRecord, bounds: ScimBounds) -> Result<ScimWritten> {
        let (push, record) = (push.clone(), record.clone());
        self.write(move |connection, _| scim::write::update(connection, &push, &record, bounds)).await
    }

    async fn change_scim_members(
        &self,
        push: &ScimPush,
        change: &ScimMembers,
        bounds: ScimBounds,
    ) -> Result<std::result::Result<ScimGroupNow, ScimWritten>> {
        let (push, change) = (push.clone(), change.clone());
        self.write(move |connection, _| scim::write::change_members(connection, &push, &change, bounds)).await
    }

    async fn delete_scim(&self, push: &ScimPush, directory: &str, kind: ScimKind, id: &str, version: Option<i64>) -> Result<ScimWritten> {
        let (push, directory, id) = (push.clone(), directory.to_owned(), id.to_owned());
        self.write(move |connection, _| scim::write::delete(connection, &push, &directory, kind, &id, version)).await
    }

    async fn scim(&self, directory: &str, kind: ScimKind, id: &str) -> Result<Option<ScimRecord>> {
        let (directory, id) = (directory.to_owned(), id.to_owned());
        self.read(move |connection, _| scim::read::one(connection, &directory, kind, &id)).await
    }

    async fn scim_list(
        &self,
        directory: &str,
        kind: ScimKind,
        filter: &ScimFilter,
        start: u32,
        count: u32,
    ) -> Result<(u64, Vec<ScimRecord>)> {
        let (directory, filter) = (directory.to_owned(), filter.clone());
        self.read(move |connection, _| scim::read::list(connection, &directory, kind, &filter, start, count)).await
    }

    async fn scim_standing(&self, directory: &str, subject: ScimSubject<'_>) -> Result<Option<ScimStanding>> {
        let directory = directory.to_owned();
        match subject {
            ScimSubject::ExternalId(id) => {
                let id = id.to_owned();
                self.read(move |connection, _| scim::read::standing(connection, &directory, ScimSubject::ExternalId(&id))).await
            }
            ScimSubject::Name(name) => {
                let name = name.to_owned();
                self.read(move |connection, _| scim::read::standing(connection, &directory, ScimSubject::Name(&name))).await
            }
        }
    }

    async fn pending_scim(&self, directory: &str, after: &str, limit: u32) -> Result<Vec<ScimStanding>> {
        let (directory, after) = (directory.to_owned(), after.to_owned());
        self.read(move |connection, _| scim::read::pending(connection, &directory, &after, limit)).await
    }

    async fn note_scim_followed(&self, directory: &str, followed: &[(String, i64)]) -> Result<Vec<String>> {
        let (directory, followed) = (directory.to_owned(), followed.to_vec());
        self.write(move |connection, _| scim::write::note_followed(connection, &directory, &followed)).await
    }

    async fn remember_origin(&self, identity: &str, origin: &str, at_ms: i64) -> Result<()> {
        let (identity, origin) = (identity.to_owned(), origin.to_owned());
        self.write(move |connection, _| sessions::remember_origin(connection, &identity, &origin, at_ms)).await
    }

    async fn forget_origin(&self, identity: &str, origin: &str) -> Result<()> {
        let (identity, origin) = (identity.to_owned(), origin.to_owned());
        self.write(move |connection, _| sessions::forget_origin(connection, &identity, &origin)).await
    }

    async fn remembered_origins(&self, identity: &str) -> Result<Vec<(String, i64)>> {
        let identity = identity.to_owned();
        self.read(move |connection, _| sessions::remembered_origins(connection, &identity)).await
    }

    async fn attempts(&self, key: &str, now_ms: i64, window_ms: i64) -> Result<u32> {
        let key = key.to_owned();
        self.read(move |connection, _| attempts::count(connection, &key, now_ms, window_ms)).await
    }

    async fn note_attempt(&self, key: &str, now_ms: i64, window_ms: i64) -> Result<u32> {
        let key = key.to_owned();
        self.write(move |connection, _| attempts::note(connection, &key, now_ms, window_ms)).await
    }

    async fn clear_attempts(&self, key: &str) -> Result<()> {
        let key = key.to_owned();
        self.write(move |connection, _| attempts::clear(connection, &key)).await
    }

    async fn note_uses(&self, clients: &[(String, i64)], grants: &[(String, i64, i64)]) -> Result<UsesLeft> {
        let (clients, grants) = (clients.to_vec(), grants.to_vec());
        self.write(move |connection, _| {
            for (client_id, at_ms) in &clients {
                clients::note_use(connection, client_id, *at_ms)?;
            }
            for (id, at_ms, count) in &grants {
                grants::note_use(connection, id, *at_ms, *count)?;
            }
            Ok(UsesLeft::default())
        })
        .await
    }

    async fn entity_history(&self, entity_type: &str, entity_id: &str, from: AuditStart, limit: u32) -> Result<Vec<AuditEntry>> {
        let (entity_type, entity_id) = (entity_type.to_owned(), entity_id.to_owned());
        self.read(move |connection, _| audit::of_entity(connection, &entity_type, &entity_id, from, limit)).await
    }

    async fn grant_history(&self, grant: &str, entity_type: &str, limit: u32) -> Result<Vec<AuditEntry>> {
        let (grant, entity_type) = (grant.to_owned(), entity_type.to_owned());
        self.read(move |connection, _| audit::of_grant(connection, &grant, &entity_type, limit)).await
    }

    async fn actor_history(&self, actor: &str, from: AuditStart, limit: u32) -> Result<Vec<AuditEntry>> {
        let actor = actor.to_owned();
        self.read(move |connection, _| audit::of_actor(connection, &actor, from, limit)).await
    }

    async fn whole_history(&self, wanted: &HistoryFilter, most_looked: u32, limit: u32) -> Result<HistoryPart> {
        let wanted = wanted.clone();
        self.read(move |connection, _| audit::whole(connection, &wanted, most_looked, limit)).await
    }

    async fn take_lease(&self, name: &str, holder: &str, for_ms: i64) -> Result<bool> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.write(move |connection, _| upkeep::leases::take(connection, &name, &holder, for_ms)).await
    }

    async fn end_lease(&self, name: &str, holder: &str) -> Result<()> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.write(move |connection, _| upkeep::leases::end(connection, &name, &holder)).await
    }

    fn key_prints(&self) -> Vec<String> {
        self.sealer.keys().prints()
    }

    async fn note_keys(&self, _: &[String], _: i64) -> Result<()> {
        Ok(())
    }

    async fn keys_of_nodes(&self) -> Result<Vec<Vec<String>>> {
        Ok(Vec::new())
    }

    async fn prune(&self, now_ms: i64) -> Result<()> {
        for ended in upkeep::prune::all(now_ms) {
            while !self.write(move |connection, _| ended.remove(connection)).await? {}
        }
        Ok(())
    }

    async fn prune_audit(&self, before_ms: i64, limit: u32) -> Result<u64> {
        self.write(move |connection, _| audit::prune(connection, before_ms, limit)).await
    }

    async fn prune_grants(&self, before_ms: i64, limit: u32) -> Result<u64> {
        self.write(move |connection, _| grants::prune(connection, before_ms, limit)).await
    }

    async fn reseal(&self, from: &ResealFrom, limit: u32) -> Result<Resealed> {
        let from = from.clone();
        self.write(move |connection, sealer| upkeep::reseal(connection, sealer, &from, limit)).await
    }

    async fn needs_older_keys(&self) -> Result<bool> {
        self.read(upkeep::needs_older_keys).await
    }

    fn read_keys_with(&self, source: KeySource) {
        self.sealer.read_keys_with(source);
    }

    fn refresh_keys(&self) -> Refreshed {
        self.sealer.refresh_keys()
    }

    async fn ping(&self) -> Result<()> {
        self.write(|connection, _| revision_and_floor(connection).map(|_| ())).await
    }
}
