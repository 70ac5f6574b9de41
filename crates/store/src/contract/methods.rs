//! The methods of the Store as a list, for a store around another one.

/// Hands a macro each method of [`Store`](crate::Store) that asks the store, as `fn name(&self, arg: Type) -> Ok;` where the answer is a `Result<Ok>`. Types are named as
/// after `use falconer_store::*`.
#[macro_export]
macro_rules! store_methods {
    ($with:ident) => {
        $with! {
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
            fn grants_revoked_since(&self, since_ms: i64, limit: u32) -> Vec<String>;
            fn grants_of(&self, identity: &str) -> Vec<GrantRecord>;
            fn open_grants_of(&self, identity: &str, now_ms: i64) -> Vec<GrantRecord>;
            fn last_grant_to(&self, identity: &str, target_origin: &str) -> Option<GrantRecord>;
            fn grant_by_nonce(&self, identity: &str, nonce: &str) -> Option<GrantRecord>;
            fn insert_grant_secret(&self, secret: &GrantSecretRecord) -> ();
            fn grant_secret(&self, hash: &str) -> Option<GrantSecretRecord>;
            fn application_of_grant(&self, grant: &str) -> Option<String>;
            fn use_grant_secret(&self, hash: &str, at_ms: i64) -> bool;
            fn put_grant_identity(&self, identity: &GrantIdentityRecord) -> ();
            fn grant_identity(&self, grant: &str) -> Option<GrantIdentityRecord>;
            fn insert_device_request(&self, request: &DeviceRequestRecord) -> ();
            fn device_request(&self, device_hash: &str) -> Option<DeviceRequestRecord>;
            fn device_request_of_person(&self, user_hash: &str) -> Option<DeviceRequestRecord>;
            fn open_requests_of(&self, identity: &str, now_ms: i64) -> Vec<DeviceRequestRecord>;
            fn note_device_poll(&self, device_hash: &str, at_ms: i64) -> bool;
            fn answer_device_request(&self, user_hash: &str, grant: Option<&str>, at_ms: i64) -> bool;
            fn use_device_request(&self, device_hash: &str, at_ms: i64) -> bool;
            fn remember_consent(&self, consent: &ConsentRecord) -> ();
            fn forget_consent(&self, identity: &str, application: &str) -> ();
            fn consents_of(&self, identity: &str) -> Vec<ConsentRecord>;
            fn initial_tokens(&self) -> Vec<InitialTokenRecord>;
            fn initial_token(&self, hash: &str) -> Option<InitialTokenRecord>;
            fn open_grants_for(&self, application: &str, now_ms: i64) -> Vec<GrantRecord>;
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
            fn succeed_session(&self, id_hash: &str, successor: &str) -> ();
            fn note_session_application(&self, application: &SessionApplication) -> Option<String>;
            fn knows_session(&self, sid: &str) -> bool;
            fn claim_due_logouts(&self, now_ms: i64, until_ms: i64, limit: u32, of_one: u32) -> Vec<LogoutRecord>;
            fn put_logout_off(&self, sid: &str, due_ms: i64) -> ();
            fn delete_logout(&self, sid: &str) -> ();
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
            fn note_uses(&self, clients: &[(String, i64)], grants: &[(String, i64, i64)]) -> UsesLeft;
            fn entity_history(&self, entity_type: &str, entity_id: &str, from: AuditStart, limit: u32) -> Vec<AuditEntry>;
            fn grant_history(&self, grant: &str, entity_type: &str, limit: u32) -> Vec<AuditEntry>;
            fn actor_history(&self, actor: &str, from: AuditStart, limit: u32) -> Vec<AuditEntry>;
            fn whole_history(&self, wanted: &HistoryFilter, most_looked: u32, limit: u32) -> HistoryPart;
            fn take_lease(&self, name: &str, holder: &str, for_ms: i64) -> bool;
            fn end_lease(&self, name: &str, holder: &str) -> ();
            fn note_keys(&self, keys: &[String], for_ms: i64) -> ();
            fn keys_of_nodes(&self) -> Vec<Vec<String>>;
            fn prune(&self, now_ms: i64) -> ();
            fn prune_audit(&self, before_ms: i64, limit: u32) -> u64;
            fn prune_grants(&self, before_ms: i64, limit: u32) -> u64;
            fn reseal(&self, from: &ResealFrom, limit: u32) -> Resealed;
            fn needs_older_keys(&self) -> bool;
            fn insert_scim(&self, push: &ScimPush, record: &ScimRecord, bounds: ScimBounds) -> ScimWritten;
            fn update_scim(&self, push: &ScimPush, record: &ScimRecord, bounds: ScimBounds) -> ScimWritten;
            fn change_scim_members(&self, push: &ScimPush, change: &ScimMembers, bounds: ScimBounds) -> std::result::Result<ScimGroupNow, ScimWritten>;
            fn delete_scim(&self, push: &ScimPush, directory: &str, kind: ScimKind, id: &str, version: Option<i64>) -> ScimWritten;
            fn scim(&self, directory: &str, kind: ScimKind, id: &str) -> Option<ScimRecord>;
            fn scim_list(&self, directory: &str, kind: ScimKind, filter: &ScimFilter, start: u32, count: u32) -> (u64, Vec<ScimRecord>);
            fn scim_standing(&self, directory: &str, subject: ScimSubject<'_>) -> Option<ScimStanding>;
            fn pending_scim(&self, directory: &str, after: &str, limit: u32) -> Vec<ScimStanding>;
            fn note_scim_followed(&self, directory: &str, followed: &[(String, i64)]) -> Vec<String>;
            fn ping(&self) -> ();
        }
    };
}
