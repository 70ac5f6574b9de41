//! A store around another one: it fails where it is told to, counts its calls, and can be made to wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use falconer_store::*;
use tokio::sync::Semaphore;

/// How many calls may be under way.
pub const WIDTH: u32 = 1000;

pub struct Failing {
    /// Can be exchanged, as when a backup is restored below a running server.
    pub inner: Mutex<Arc<dyn Store>>,
    /// The method and the error of its next calls; `after commit` is done before the error is answered.
    pub errors: Mutex<VecDeque<(&'static str, StoreError)>>,
    /// How often each method was called.
    pub calls: Mutex<BTreeMap<&'static str, usize>>,
    /// Whoever takes all of it keeps calls waiting.
    pub gate: Semaphore,
    /// Whether other nodes may write to it, as far as this one knows.
    pub is_shared: bool,
}

impl Failing {
    pub fn new(inner: Arc<dyn Store>) -> Failing {
        let gate = Semaphore::new(WIDTH as usize);
        Failing { inner: Mutex::new(inner), errors: Mutex::default(), calls: Mutex::default(), gate, is_shared: false }
    }

    pub fn calls_of(&self, method: &str) -> usize {
        self.calls.lock().unwrap().get(method).copied().unwrap_or(0)
    }

    fn before(&self, method: &'static str) -> Result<()> {
        *self.calls.lock().unwrap().entry(method).or_default() += 1;
        let mut errors = self.errors.lock().unwrap();
        match errors.front() {
            Some((name, _)) if *name == method => {
                let error = errors.pop_front().unwrap().1;
                drop(errors);
                assert_ne!(error, StoreError::Fatal("panic".to_owned()), "asked to panic");
                Err(error)
            }
            _ => Ok(()),
        }
    }
}

macro_rules! delegate {
    ($(fn $name:ident(&self $(, $arg:ident: $type:ty)*) -> $ok:ty;)*) => {
        #[async_trait]
        impl Store for Failing {
            fn is_shared(&self) -> bool {
                self.is_shared
            }

            $(async fn $name(&self $(, $arg: $type)*) -> Result<$ok> {
                let _through = self.gate.acquire().await.unwrap();
                self.before(stringify!($name))?;
                let inner = self.inner.lock().unwrap().clone();
                let done = inner.$name($($arg),*).await;
                self.before(concat!("after ", stringify!($name)))?;
                done
            })*
        }
    };
}

delegate! {
    fn load_each(&self, each: EachClient) -> Loaded;
    fn revision(&self) -> Revision;
    fn commit(&self, decided_in: Epoch, steps: Vec<(Step, Write)>) -> Committed;
    fn changes_since(&self, since: Revision, limit: u32) -> Vec<Change>;
    fn changed_records(&self, since: Revision, limit: u32) -> Changed;
    fn history(&self) -> History;
    fn begin_history(&self, instead_of: Epoch, same_until: Revision) -> History;
    fn client(&self, client_id: &str) -> Option<ClientRecord>;
    fn grant(&self, id: &str) -> Option<GrantRecord>;
    fn person(&self, id: &str) -> Option<PersonRecord>;
    fn identity(&self, identity: &str) -> Option<IdentityRecord>;
    fn grants_of(&self, identity: &str) -> Vec<GrantRecord>;
    fn grant_by_nonce(&self, identity: &str, nonce: &str) -> Option<GrantRecord>;
    fn account(&self, name: &str) -> Option<AccountRecord>;
    fn accounts(&self) -> Vec<AccountRecord>;
    fn credentials(&self, account: &str) -> CredentialsRecord;
    fn credentials_counts(&self) -> Vec<CredentialsCount>;
    fn passkey(&self, id: &str) -> Option<PasskeyRecord>;
    fn note_passkey_use(&self, id: &str, counter: u32, at_ms: i64) -> bool;
    fn put_setup_link(&self, hash: &str, expires_ms: i64) -> ();
    fn setup_link_valid(&self, hash: &str, now_ms: i64) -> bool;
    fn account_link(&self, hash: &str) -> Option<AccountLink>;
    fn account_link_of(&self, account: &str) -> Option<AccountLink>;
    fn insert_session(&self, session: &SessionRecord) -> ();
    fn session(&self, id_hash: &str) -> Option<SessionRecord>;
    fn touch_session(&self, id_hash: &str, now_ms: i64) -> ();
    fn delete_session(&self, id_hash: &str) -> ();
    fn delete_sessions_of(&self, identity: &str, except: Option<&str>) -> u64;
    fn sessions_of(&self, identity: &str) -> Vec<SessionRecord>;
    fn note_known_by(&self, provider: &str, known_by: &str, before: &str) -> String;
    fn known_by(&self, provider: &str) -> Option<String>;
    fn put_refresh(&self, refresh: &RefreshRecord) -> ();
    fn keep_refresh_handle(&self, identity: &str, handle: &Secret) -> ();
    fn delete_refresh(&self, identity: &str) -> ();
    fn claim_due_refreshes(&self, now_ms: i64, until_ms: i64, limit: u32) -> Vec<RefreshRecord>;
    fn claim_refresh(&self, identity: &str, now_ms: i64, until_ms: i64) -> Option<RefreshRecord>;
    fn put_pending_link(&self, link: &PendingLink) -> ();
    fn pending_link(&self, session: &str) -> Option<PendingLink>;
    fn delete_pending_link(&self, session: &str) -> ();
    fn remember_origin(&self, identity: &str, origin: &str, at_ms: i64) -> ();
    fn forget_origin(&self, identity: &str, origin: &str) -> ();
    fn remembered_origins(&self, identity: &str) -> Vec<(String, i64)>;
    fn attempts(&self, key: &str, now_ms: i64, window_ms: i64) -> u32;
    fn note_attempt(&self, key: &str, now_ms: i64, window_ms: i64) -> u32;
    fn clear_attempts(&self, key: &str) -> ();
    fn note_uses(&self, clients: &[(String, i64)], grants: &[(String, i64, i64)]) -> ();
    fn entity_history(&self, entity_type: &str, entity_id: &str, from: AuditStart, limit: u32) -> Vec<AuditEntry>;
    fn grant_history(&self, grant: &str, entity_type: &str, limit: u32) -> Vec<AuditEntry>;
    fn actor_history(&self, actor: &str, from: AuditStart, limit: u32) -> Vec<AuditEntry>;
    fn whole_history(&self, wanted: &HistoryFilter, most_looked: u32, limit: u32) -> HistoryPart;
    fn take_lease(&self, name: &str, holder: &str, for_ms: i64) -> bool;
    fn end_lease(&self, name: &str, holder: &str) -> ();
    fn prune(&self, now_ms: i64) -> ();
    fn prune_audit(&self, before_ms: i64, limit: u32) -> u64;
    fn prune_grants(&self, before_ms: i64, limit: u32) -> u64;
    fn reseal(&self, from: &ResealFrom, limit: u32) -> Resealed;
    fn needs_older_keys(&self) -> bool;
    fn insert_scim(&self, record: &ScimRecord, most: u32) -> ScimWritten;
    fn update_scim(&self, record: &ScimRecord) -> ScimWritten;
    fn change_scim_members(&self, change: &ScimMembers, most: u32) -> std::result::Result<ScimGroupNow, ScimWritten>;
    fn delete_scim(&self, directory: &str, kind: ScimKind, id: &str, version: Option<i64>) -> ScimWritten;
    fn scim(&self, directory: &str, kind: ScimKind, id: &str) -> Option<ScimRecord>;
    fn scim_list(&self, directory: &str, kind: ScimKind, filter: &ScimFilter, start: u32, count: u32) -> (u64, Vec<ScimRecord>);
    fn scim_standing(&self, directory: &str, subject: ScimSubject<'_>) -> Option<ScimStanding>;
    fn pending_scim(&self, directory: &str, after: &str, limit: u32) -> Vec<ScimStanding>;
    fn note_scim_followed(&self, directory: &str, followed: &[(String, i64)]) -> Vec<String>;
    fn ping(&self) -> ();
}
