//! The trait that every backend implements.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::{
    AccountLink, AccountRecord, ApplicationRecord, AuditEntry, AuditStart, Change, Changed, ClientRecord, Committed, ConsentRecord,
    CredentialsChange, CredentialsCount, CredentialsRecord, Deciding, DeviceRequestRecord, EachClient, Epoch, GrantIdentityRecord,
    GrantRecord, GrantSecretRecord, History, HistoryFilter, HistoryPart, IdentityRecord, InitialTokenRecord, IssuerRecord, KeySource,
    Loaded, LogoutRecord, PasskeyRecord, PendingLink, PersonRecord, RefreshRecord, Refreshed, ResealFrom, Resealed, Result, Revision,
    RoleRecord, ScimBounds, ScimFilter, ScimGroupNow, ScimKind, ScimMembers, ScimPush, ScimRecord, ScimStanding, ScimSubject, ScimWritten,
    ScopeRegistryRecord, Secret, SessionApplication, SessionRecord, Step, UsesLeft, Write,
};

/// How far the clocks of two nodes may differ before attempts that one of them notes are passed over by the other, in milliseconds.
pub const ATTEMPTS_AHEAD_MS: i64 = 60_000;

/// How many rows [`Store::prune`] removes at once, so that others get their turn in between.
pub const PRUNED_AT_ONCE: u32 = 1000;

/// One place where records are kept.
///
/// **Steps.** A method that takes a [`Step`] does all of the following in one transaction, durable before the answer, or none of it:
///
/// 1. it checks that nothing in [`Step::depends_on`] has changed after [`Step::decided_at`], else it answers [`Stale`](crate::StoreError::Stale);
/// 2. it writes the record;
/// 3. it adds one audit row for each entity, and one row of the change feed for each record;
/// 4. it takes the next revision, which is the answer.
///
/// A step that finds nothing to change writes its audit row, where its method says so, and answers the present revision.
///
/// All steps go through [`Store::commit`]; the methods that take one are there for those who have just one.
///
/// Steps of one store happen one after the other, and revisions become visible in order. A dropped future does not undo its step: it may
/// still commit.
///
/// What takes no step (sessions, last uses, attempts, links) is durable before the answer too, but has no revision and no audit row; what directories push has an audit
/// row.
#[async_trait]
pub trait Store: Send + Sync {
    // ---- reading ----

    /// Everything at one revision. The only read that is meant to be large: so `each` is given the clients one after the other, ascending by the bytes
    /// of the clientId, and the answer has none. When it fails, `each` may have been given some.
    ///
    /// **Damaged rows.** A sealed value that does not open keeps nobody else from being served. [`Loaded::damaged`] names each of them. Where nothing at all opens the
    /// keys are the wrong ones, which is [`Corrupt`](crate::StoreError::Corrupt). Wherever records are read:
    ///
    /// - a client has a token [of nobody](crate::Secret::is_of_nobody), so that its name stays taken, and it can be reset or deleted; so has its old token, and a refresh as its
    ///   handle. Where such a record is written, what is stored of them stays;
    /// - an issuer has such a token too, and signs no more;
    /// - an account has no password;
    /// - a recovery code and a session are not there.
    async fn load_each(&self, each: EachClient) -> Result<Loaded>;
    /// The same with the clients in the answer, where they are few.
    async fn load(&self) -> Result<Loaded> {
        let clients = Arc::new(Mutex::new(Vec::new()));
        let found = Arc::clone(&clients);
        let loaded = self.load_each(Box::new(move |client| found.lock().unwrap_or_else(PoisonError::into_inner).push(client))).await?;
        Ok(Loaded { clients: std::mem::take(&mut *clients.lock().unwrap_or_else(PoisonError::into_inner)), ..loaded })
    }
    /// The present revision.
    async fn revision(&self) -> Result<Revision>;
    /// What changed after `since`, at most about `limit` rows: ascending by revision, then by the word of the kind, then by the bytes of the
    /// key, so that the n-th row of a revision is always the same one. The rows of one revision are never torn apart, so that the last
    /// row's revision is where to go on. [`Stale`](crate::StoreError::Stale) when the feed no longer reaches back so far, or
    /// when `since` is ahead of the store: load again.
    async fn changes_since(&self, since: Revision, limit: u32) -> Result<Vec<Change>>;
    /// The records that changed after `since`, as they are now, read at one revision; those of about `limit` rows of the feed. Whoever calls again
    /// with [`Changed::up_to`] until that is the present revision has everything as it is then, whatever is written meanwhile.
    ///
    /// [`Stale`](crate::StoreError::Stale) as in [`Store::changes_since`].
    async fn changed_records(&self, since: Revision, limit: u32) -> Result<Changed>;
    /// Whether several nodes may write to it at once. What one of them has in memory may be behind then, and while the store is away nobody knows by how much.
    fn is_shared(&self) -> bool;
    /// Waits until more than `count` notifications of other nodes have come. Answers how many there are then, and the revision that the last one names. `None`: anything
    /// may have changed. Where nobody else writes, no notification comes. A connection may be lost, so whoever gets none has to look now and then all the same.
    async fn wait_for_notification(&self, count: u64) -> (u64, Option<Revision>);
    /// Which history the store is in.
    async fn history(&self) -> Result<History>;
    /// Begins another history, because a backup was restored: positions of the history before mean nothing from now on, but for those up to where this one
    /// begins. That is the present revision, or `same_until` where it is earlier: others may have written to the backup before it was noticed. It is 1 at least, because a
    /// history that begins at 0 is the first one. Nothing happens when
    /// the history is no longer this one. Answers the history that there is now.
    async fn begin_history(&self, instead_of: Epoch, same_until: Revision) -> Result<History>;
    /// One client.
    async fn client(&self, client_id: &str) -> Result<Option<ClientRecord>>;
    /// One grant, however old.
    async fn grant(&self, id: &str) -> Result<Option<GrantRecord>>;
    /// One person.
    async fn person(&self, id: &str) -> Result<Option<PersonRecord>>;
    /// One identity.
    async fn identity(&self, identity: &str) -> Result<Option<IdentityRecord>>;

    // ---- steps ----

    /// Takes these steps one after the other in one transaction: all of them, durable before the answer, or none.
    ///
    /// A step alone may have been decided at an earlier revision, as long as nothing that it depends on has changed since. Of several each must
    /// have been decided at exactly the revision that the one before it leaves, and the first at the present one: else
    /// [`Stale`](crate::StoreError::Stale). It is Stale too where the store is in another history than `decided_in`: the same number is another revision there.
    async fn commit(&self, decided_in: Epoch, steps: Vec<(Step, Write)>) -> Result<Committed>;
    /// The same for steps that are decided while no other node can commit, for whoever was overtaken by others before. `deciding` is awaited once they are kept out. It
    /// reads what is there then, and must not take long. Where it comes to nothing, nothing is written.
    ///
    /// As it is here it keeps nobody out: that is for a store that is [shared](Store::is_shared).
    async fn commit_locked(&self, deciding: Deciding) -> Result<Committed> {
        match deciding.await {
            Some((decided_in, steps)) => self.commit(decided_in, steps).await,
            None => Ok(Committed::default()),
        }
    }
    /// Takes one step, in whichever history the store is.
    async fn take(&self, step: &Step, write: Write) -> Result<Revision> {
        let committed = self.commit(self.history().await?.epoch, vec![(step.clone(), write)]).await?;
        committed.revisions.last().copied().ok_or_else(|| crate::StoreError::Corrupt("a step was taken and has no revision".to_owned()))
    }

    /// Makes the step's time the highest one, also where a later one was stored: somebody has said that it is right. An audit row of the entity `clock`, and the
    /// next revision, with no row in the change feed.
    async fn accept_time(&self, step: &Step) -> Result<Revision> {
        self.take(step, Write::AcceptTime).await
    }

    // ---- clients ----

    /// [`Conflict`](crate::StoreError::Conflict) when the clientId exists.
    async fn insert_client(&self, step: &Step, client: &ClientRecord) -> Result<Revision> {
        self.take(step, Write::InsertClient(client.clone())).await
    }
    /// Writes the whole record, except that the last use never goes back. Conflict when it is gone.
    async fn update_client(&self, step: &Step, client: &ClientRecord) -> Result<Revision> {
        self.take(step, Write::UpdateClient(client.clone())).await
    }
    /// Deleting what is not there leaves an audit row all the same, and answers the present revision.
    async fn delete_client(&self, step: &Step, client_id: &str) -> Result<Revision> {
        self.take(step, Write::DeleteClient(client_id.to_owned())).await
    }
    /// A step that asked for what is there already: checks [`Step::depends_on`], leaves an audit row, answers the present revision.
    async fn note_repeat(&self, step: &Step, entity_type: &str, entity_id: &str) -> Result<Revision> {
        self.take(step, Write::NoteRepeat(entity_type.to_owned(), entity_id.to_owned())).await
    }
    /// Makes the stored clients under `static/`, but never under `static/falconer/`, equal to this list. What is equal in description,
    /// token, expiry, scopes and flags is left alone; what differs keeps its creation and last use (and, with the same token, its last
    /// rotation). One audit row for each client that changed; nothing at all when none did. Conflict when the list names a client outside
    /// of that space, or one twice.
    async fn replace_static_clients(&self, step: &Step, clients: &[ClientRecord]) -> Result<Revision> {
        self.take(step, Write::ReplaceStaticClients(clients.to_vec())).await
    }

    // ---- roles ----

    /// Conflict when the roleId exists.
    async fn insert_role(&self, step: &Step, role: &RoleRecord) -> Result<Revision> {
        self.take(step, Write::InsertRoles(vec![role.clone()])).await
    }
    /// Conflict when it is gone.
    async fn update_role(&self, step: &Step, role: &RoleRecord) -> Result<Revision> {
        self.take(step, Write::UpdateRole(role.clone())).await
    }
    /// Deleting what is not there leaves an audit row all the same, and answers the present revision.
    async fn delete_role(&self, step: &Step, role_id: &str) -> Result<Revision> {
        self.take(step, Write::DeleteRole(role_id.to_owned())).await
    }
    /// All or none, at one revision. Conflict when one of them exists.
    async fn insert_roles(&self, step: &Step, roles: &[RoleRecord]) -> Result<Revision> {
        self.take(step, Write::InsertRoles(roles.to_vec())).await
    }

    // ---- many at once ----

    /// Adds or replaces each of these records whole, except that a client's last use never goes back: all or none, at one revision.
    ///
    /// A record that differs from what is there (or is new) leaves one row of the change feed and one audit row. The action of that audit
    /// row tells what happened to that very record: `created`, `updated`, or `access token set` for a client that was there with another access
    /// token. So [`Step::action`] is not stored; [`Step::detail`] is stored with each. A record that is there already exactly so leaves nothing. When nothing is left to write, the present revision is the answer.
    ///
    /// Conflict when the batch names a record twice.
    async fn write_batch(&self, step: &Step, roles: &[RoleRecord], clients: &[ClientRecord]) -> Result<Revision> {
        self.take(step, Write::Batch(roles.to_vec(), clients.to_vec())).await
    }

    // ---- issuers and grants ----

    /// Conflict when the name exists.
    async fn insert_issuer(&self, step: &Step, issuer: &IssuerRecord) -> Result<Revision> {
        self.take(step, Write::InsertIssuer(issuer.clone())).await
    }
    /// Gives an issuer another token, and with it another end. Conflict when there is no such issuer.
    async fn replace_issuer(&self, step: &Step, issuer: &IssuerRecord) -> Result<Revision> {
        self.take(step, Write::ReplaceIssuer(issuer.clone())).await
    }
    /// Sets `retired_ms` to [`Step::at_ms`]. Conflict when there is no such issuer that still signs.
    async fn retire_issuer(&self, step: &Step, name: &str) -> Result<Revision> {
        self.take(step, Write::RetireIssuer(name.to_owned())).await
    }
    /// Adds a grant. The one that it `replaces` is revoked in the same step, by the actor (unless it was revoked before). Conflict when the id
    /// exists, when `replaces` does not, or when another grant of the person that is not revoked has the same nonce (not empty): so of two
    /// presses of one button exactly one makes a grant. [`Stale`](crate::StoreError::Stale) when it is derived and
    /// [`MOST_DERIVED_GRANTS`](crate::MOST_DERIVED_GRANTS) are already that count.
    async fn insert_grant(&self, step: &Step, grant: &GrantRecord, replaces: Option<&str>) -> Result<Revision> {
        self.take(step, Write::InsertGrant(grant.clone(), replaces.map(str::to_owned))).await
    }
    /// Sets `revoked_ms` to [`Step::at_ms`] where it is not set. Ids that are unknown or revoked already are passed over; audit rows for the
    /// others; the present revision when there were none. What was derived from a grant goes with it. With a grant goes what the person, by whichever identity, need not be asked by applications whose answers
    /// go to the same origin.
    async fn revoke_grants(&self, step: &Step, ids: &[String], by: &str, reason: &str) -> Result<Revision> {
        self.take(step, Write::RevokeGrants { ids: ids.to_vec(), by: by.to_owned(), reason: reason.to_owned() }).await
    }
    /// The ids of grants that were revoked at this time or later, the latest first, and no more than so many.
    async fn grants_revoked_since(&self, since_ms: i64, limit: u32) -> Result<Vec<String>>;
    /// A person's grants, newest first, ended and revoked ones too.
    async fn grants_of(&self, identity: &str) -> Result<Vec<GrantRecord>>;
    /// Those of them that are neither revoked nor ended at this time. Ended ones may be kept for ever, so pages ask for these.
    async fn open_grants_of(&self, identity: &str, now_ms: i64) -> Result<Vec<GrantRecord>>;
    /// The newest grant of the person to an origin that is not revoked, and that no program has derived; it may have ended.
    async fn last_grant_to(&self, identity: &str, target_origin: &str) -> Result<Option<GrantRecord>>;
    /// The newest grant of the person with this nonce, revoked or not.
    async fn grant_by_nonce(&self, identity: &str, nonce: &str) -> Result<Option<GrantRecord>>;
    /// Keeps a code or an access token. [`Conflict`](crate::StoreError::Conflict): one of this hash is there.
    async fn insert_grant_secret(&self, secret: &GrantSecretRecord) -> Result<()>;
    /// The code or access token of this hash, an ended or used one too: the caller checks.
    async fn grant_secret(&self, hash: &str) -> Result<Option<GrantSecretRecord>>;
    /// The application that codes or tokens of this grant were given to, of which a used code is kept as long as the grant. `None`: it was made for no application.
    async fn application_of_grant(&self, grant: &str) -> Result<Option<String>>;
    /// Notes the use of a code. Of all who say so at once, on whichever node, one is answered true: whoever is first. Also false: there is none of this hash.
    async fn use_grant_secret(&self, hash: &str, at_ms: i64) -> Result<bool>;

    /// What an application is told of the person of a grant, in place of what was there.
    async fn put_grant_identity(&self, identity: &GrantIdentityRecord) -> Result<()>;
    /// The same of the grant with this id.
    async fn grant_identity(&self, grant: &str) -> Result<Option<GrantIdentityRecord>>;

    // ---- devices ----

    /// Adds what a device asks for. Conflict when one of its codes is known.
    async fn insert_device_request(&self, request: &DeviceRequestRecord) -> Result<()>;
    /// By the code that the device keeps.
    async fn device_request(&self, device_hash: &str) -> Result<Option<DeviceRequestRecord>>;
    /// By the code that the person types.
    async fn device_request_of_person(&self, user_hash: &str) -> Result<Option<DeviceRequestRecord>>;
    /// What programs that have grants of this identity ask for beyond them, and nobody has answered; oldest first. Neither they nor the grants have ended at this time.
    async fn open_requests_of(&self, identity: &str, now_ms: i64) -> Result<Vec<DeviceRequestRecord>>;
    /// Whether a poll at this time comes no sooner than the interval after the last one, which it is from then on. One that comes too soon makes the interval longer by
    /// [`DEVICE_SLOW_DOWN_MS`](crate::DEVICE_SLOW_DOWN_MS), up to [`LONGEST_DEVICE_INTERVAL_MS`](crate::LONGEST_DEVICE_INTERVAL_MS). Of several at once one comes in time.
    /// False too where there is none of this code.
    async fn note_device_poll(&self, device_hash: &str, at_ms: i64) -> Result<bool>;
    /// A person's answer: this grant, or nothing. Whether it is the answer now: of several the first counts, on whichever node, and saying the same grant once more is
    /// true again. False when the request has ended at this time, or when there is none.
    async fn answer_device_request(&self, user_hash: &str, grant: Option<&str>, at_ms: i64) -> Result<bool>;
    /// Notes that the device is given what its grant gives. Of all who say so at once one is answered true. False where nobody has granted anything.
    async fn use_device_request(&self, device_hash: &str, at_ms: i64) -> Result<bool>;

    // ---- applications ----

    /// Conflict when the id exists.
    async fn insert_application(&self, step: &Step, application: &ApplicationRecord) -> Result<Revision> {
        self.take(step, Write::InsertApplication(application.clone())).await
    }
    /// Conflict when it is gone.
    async fn update_application(&self, step: &Step, application: &ApplicationRecord) -> Result<Revision> {
        self.take(step, Write::UpdateApplication(application.clone())).await
    }
    /// What people have let it do unasked goes with it, so that another one of this id is not taken for it. Deleting what is not there leaves an audit row all the
    /// same, and answers the present revision.
    async fn delete_application(&self, step: &Step, id: &str) -> Result<Revision> {
        self.take(step, Write::DeleteApplication(id.to_owned())).await
    }
    /// Adds an application that registers itself, and counts a use of the initial token of this hash, which gets a row in the audit too. Conflict when the id exists, and when the
    /// token is gone, has ended at the time of the step or was used as often as it can be.
    async fn register_application(&self, step: &Step, application: &ApplicationRecord, hash: &str) -> Result<Revision> {
        self.take(step, Write::RegisterApplication(application.clone(), hash.to_owned())).await
    }
    /// The grants that were made for an application or that codes or tokens of it stand for, and that are neither revoked nor ended at this time. By id.
    async fn open_grants_for(&self, application: &str, now_ms: i64) -> Result<Vec<GrantRecord>>;
    /// Conflict when the id exists.
    async fn insert_initial_token(&self, step: &Step, token: &InitialTokenRecord) -> Result<Revision> {
        self.take(step, Write::InsertInitialToken(token.clone())).await
    }
    /// Deleting what is not there leaves an audit row all the same. What was registered with it stays.
    async fn delete_initial_token(&self, step: &Step, id: &str) -> Result<Revision> {
        self.take(step, Write::DeleteInitialToken(id.to_owned())).await
    }
    /// Keeps what a service says of its scopes, in place of what was there: the time of its creation stays.
    async fn put_scope_registry(&self, step: &Step, registry: &ScopeRegistryRecord) -> Result<Revision> {
        self.take(step, Write::PutScopeRegistry(registry.clone())).await
    }
    /// Deleting what is not there leaves an audit row all the same, and answers the present revision.
    async fn delete_scope_registry(&self, step: &Step, namespace: &str) -> Result<Revision> {
        self.take(step, Write::DeleteScopeRegistry(namespace.to_owned())).await
    }
    /// All initial tokens by id, what has ended too: the caller checks.
    async fn initial_tokens(&self) -> Result<Vec<InitialTokenRecord>>;
    /// The initial token of this hash, an ended or used one too: the caller checks.
    async fn initial_token(&self, hash: &str) -> Result<Option<InitialTokenRecord>>;
    /// Remembers this in place of what was remembered of the same person and application.
    async fn remember_consent(&self, consent: &ConsentRecord) -> Result<()>;
    /// Nothing when it was not remembered.
    async fn forget_consent(&self, identity: &str, application: &str) -> Result<()>;
    /// All that is remembered of a person, by application, what has ended too: the caller checks.
    async fn consents_of(&self, identity: &str) -> Result<Vec<ConsentRecord>>;

    // ---- people ----

    /// Adds or replaces an identity. One that is new becomes a person of its own, with the id that it carries; one that is there stays with
    /// the person that it belongs to, whatever it carries. So do all methods that write an identity.
    async fn put_identity(&self, step: &Step, identity: &IdentityRecord) -> Result<Revision> {
        self.take(step, Write::PutIdentity(identity.clone())).await
    }
    /// The same, and disables these clients where they are not disabled yet: an audit row with the action `disabled` for each that was. Those that are not there
    /// are passed over.
    async fn follow_identity(&self, step: &Step, identity: &IdentityRecord, disable: &[String]) -> Result<Revision> {
        self.take(step, Write::FollowIdentity(identity.clone(), disable.to_vec())).await
    }
    /// Adds a local account and its person, with the hash of its password if it has one. Conflict when the name was ever used.
    async fn insert_account(
        &self,
        step: &Step,
        account: &AccountRecord,
        identity: &IdentityRecord,
        password_hash: Option<&str>,
    ) -> Result<Revision> {
        self.take(step, Write::InsertAccount(account.clone(), identity.clone(), password_hash.map(str::to_owned))).await
    }
    /// Writes account and person together, and disables these clients as [`Store::follow_identity`] does. Conflict when there is no such account. `created_ms` is
    /// kept. The credentials of one that is deleted go with it.
    async fn update_account(
        &self,
        step: &Step,
        account: &AccountRecord,
        identity: &IdentityRecord,
        disable: &[String],
    ) -> Result<Revision> {
        self.take(step, Write::UpdateAccount(account.clone(), identity.clone(), disable.to_vec())).await
    }
    /// Writes name and state of a person. Conflict when there is none of this id, or when the name is no identity of theirs. `created_ms` is kept.
    async fn update_person(&self, step: &Step, person: &PersonRecord) -> Result<Revision> {
        self.take(step, Write::UpdatePerson(person.clone())).await
    }
    /// Moves an identity from the person that it alone makes, who is gone from then on, to another person. With a session, the pending link of
    /// that session is used up. Audit rows for the identity and for both people. Conflict when the identity is not `from`'s, when `from` has another
    /// one, when there is no `to` or it is `from`, or when the session has no pending link for this identity at [`Step::at_ms`].
    async fn link_identity(&self, step: &Step, identity: &str, from: &str, to: &str, session: Option<&str>) -> Result<Revision> {
        let (identity, from, to) = (identity.to_owned(), from.to_owned(), to.to_owned());
        self.take(step, Write::LinkIdentity { identity, from, to, session: session.map(str::to_owned) }).await
    }
    /// Makes the identity `alone.name` of the person `left` a person of its own, and writes the name of `left`. Audit rows for the identity and for both
    /// people. Conflict when the identity is not `left`'s, when it is `left.name`, when that is no identity of theirs, or when `alone.id` exists.
    async fn unlink_identity(&self, step: &Step, alone: &PersonRecord, left: &PersonRecord) -> Result<Revision> {
        self.take(step, Write::UnlinkIdentity { alone: alone.clone(), left: left.clone() }).await
    }
    /// One local account, deleted ones too.
    async fn account(&self, name: &str) -> Result<Option<AccountRecord>>;
    /// All local accounts by name, deleted ones too.
    async fn accounts(&self) -> Result<Vec<AccountRecord>>;
    /// Changes what somebody signs in to a local account with. An audit row of the entity `account`, and the next revision, with no row in the change feed: no
    /// node keeps credentials. Conflict as [`CredentialsChange`] says, and when there is no such account or it is deleted.
    async fn change_credentials(&self, step: &Step, account: &str, change: CredentialsChange) -> Result<Revision> {
        self.take(step, Write::ChangeCredentials(account.to_owned(), change)).await
    }
    /// What somebody signs in to a local account with; empty for a name that nobody has.
    async fn credentials(&self, account: &str) -> Result<CredentialsRecord>;
    /// How many credentials accounts have, by account; those that have none may be left out.
    async fn credentials_counts(&self) -> Result<Vec<CredentialsCount>>;
    /// One passkey, whoever has it.
    async fn passkey(&self, id: &str) -> Result<Option<PasskeyRecord>>;
    /// Notes a use of a passkey, and the counter that came with it. `false`, and nothing is noted, where the counter is not above the one that is kept and either of
    /// them counts, or where the passkey is gone. Exact under concurrency. No revision and no audit row.
    async fn note_passkey_use(&self, id: &str, counter: u32, at_ms: i64) -> Result<bool>;
    /// Keeps a set-up link, by the hash of its token.
    async fn put_setup_link(&self, hash: &str, expires_ms: i64) -> Result<()>;
    /// Whether the link exists, is unused and ends after `now_ms`.
    async fn setup_link_valid(&self, hash: &str, now_ms: i64) -> Result<bool>;
    /// Uses the link up and adds the account and its person, in one step. Conflict when the link is not valid at [`Step::at_ms`], or the
    /// name was ever used (the link stays usable then).
    async fn complete_setup(
        &self,
        step: &Step,
        hash: &str,
        account: &AccountRecord,
        identity: &IdentityRecord,
        password_hash: Option<&str>,
    ) -> Result<Revision> {
        let password_hash = password_hash.map(str::to_owned);
        self.take(step, Write::CompleteSetup(hash.to_owned(), account.clone(), identity.clone(), password_hash)).await
    }

    /// Adds a local account without a password, its person, and the link with which it gets one. Conflict when the name was ever used.
    async fn invite_account(
        &self,
        step: &Step,
        account: &AccountRecord,
        identity: &IdentityRecord,
        link: &AccountLink,
    ) -> Result<Revision> {
        self.take(step, Write::InviteAccount(account.clone(), identity.clone(), link.clone())).await
    }
    /// Keeps the link of an account, in place of the one before. An audit row of the account; answers the present revision. Conflict when there is no such
    /// account, or it is deleted.
    async fn put_account_link(&self, step: &Step, link: &AccountLink) -> Result<Revision> {
        self.take(step, Write::PutAccountLink(link.clone())).await
    }
    /// Uses the link up and sets the password of the account, in one step. An audit row of the account, and the next revision, with no row in the change feed.
    /// Conflict when the link is not this account's, or has ended at [`Step::at_ms`], when the account is deleted, or when `instead_of` is given and is not the
    /// present hash.
    async fn use_account_link(
        &self,
        step: &Step,
        link: &str,
        account: &str,
        password_hash: &str,
        instead_of: Option<&str>,
    ) -> Result<Revision> {
        let (link, account, password_hash) = (link.to_owned(), account.to_owned(), password_hash.to_owned());
        self.take(step, Write::UseAccountLink { link, account, password_hash, instead_of: instead_of.map(str::to_owned) }).await
    }
    /// The link with this hash, an ended one too: the caller checks the time.
    async fn account_link(&self, hash: &str) -> Result<Option<AccountLink>>;
    /// The link of an account, an ended one too.
    async fn account_link_of(&self, account: &str) -> Result<Option<AccountLink>>;
    /// Ends the sessions by these identities, and what is pending, as [`Store::delete_sessions_of`] does, with an audit row for each identity. Answers the
    /// present revision.
    async fn end_sessions(&self, step: &Step, identities: &[String]) -> Result<Revision> {
        self.take(step, Write::EndSessions(identities.to_vec())).await
    }

    // ---- sessions and the like: no revision ----

    /// Conflict when the hash exists.
    async fn insert_session(&self, session: &SessionRecord) -> Result<()>;
    /// One session, ended ones too: the caller checks the time.
    async fn session(&self, id_hash: &str) -> Result<Option<SessionRecord>>;
    /// Moves `last_seen_ms` forward. Nothing when the session is gone.
    async fn touch_session(&self, id_hash: &str, now_ms: i64) -> Result<()>;
    /// Its pending link goes with it, and the applications that know of it are to be told ([`Store::claim_due_logouts`]), at once. Nothing when the session is gone.
    async fn delete_session(&self, id_hash: &str) -> Result<()>;
    /// Ends the sessions by an identity, but for one; how many there were. Pending links of these sessions, and of this identity in any session, go with
    /// them, and what they need not be asked. The applications that know of them are to be told.
    async fn delete_sessions_of(&self, identity: &str, except: Option<&str>) -> Result<u64>;
    /// Sessions by an identity, newest first, ended ones too.
    async fn sessions_of(&self, identity: &str) -> Result<Vec<SessionRecord>>;
    /// Ends a session that goes on as another one: the applications that know of it know that one by the same name, and are told nothing. Where the other one is gone
    /// it is [`Store::delete_session`].
    async fn succeed_session(&self, id_hash: &str, successor: &str) -> Result<()>;
    /// Notes that an application knows of a session, once. What it calls it: the `sid` given, or that of before. `None`: there is no such session.
    async fn note_session_application(&self, application: &SessionApplication) -> Result<Option<String>>;
    /// Whether the session that an application calls so is still there, ended by its time or not.
    async fn knows_session(&self, sid: &str) -> Result<bool>;
    /// Ends of sessions of which applications have to be told, that nobody has claimed: earliest first, at most `limit`, and at most `of_one` of one application.
    /// Claimed from now on until `until_ms`, as [`Store::claim_due_refreshes`] does it.
    async fn claim_due_logouts(&self, now_ms: i64, until_ms: i64, limit: u32, of_one: u32) -> Result<Vec<LogoutRecord>>;
    /// It came to nothing, which counts as a try: it is due then, and nobody has claimed it. Nothing when there is none.
    async fn put_logout_off(&self, sid: &str, due_ms: i64) -> Result<()>;
    /// The application knows, or nobody tells it any more. Nothing when there is none.
    async fn delete_logout(&self, sid: &str) -> Result<()>;
    /// Keeps the session's pending link, instead of the one before.
    async fn put_pending_link(&self, link: &PendingLink) -> Result<()>;
    /// The session's pending link, an ended one too: the caller checks the time.
    async fn pending_link(&self, session: &str) -> Result<Option<PendingLink>>;
    /// Nothing when there is none.
    async fn delete_pending_link(&self, session: &str) -> Result<()>;
    /// By what the people of a provider are known, such as `oidc sub`: what was kept first counts for ever. Where nothing was kept yet, that is `known_by`; or
    /// `before` where the provider has identities already. No revision and no audit row.
    async fn note_known_by(&self, provider: &str, known_by: &str, before: &str) -> Result<String>;
    /// What [`Store::note_known_by`] has kept for a provider.
    async fn known_by(&self, provider: &str) -> Result<Option<String>>;
    /// Keeps when to ask about somebody again, and with what; nobody has claimed it.
    async fn put_refresh(&self, refresh: &RefreshRecord) -> Result<()>;
    /// Keeps another handle, and leaves the rest as it is: whoever has claimed it goes on. Nothing when there is none.
    async fn keep_refresh_handle(&self, identity: &str, handle: &Secret) -> Result<()>;
    /// Nothing when there is none.
    async fn delete_refresh(&self, identity: &str) -> Result<()>;
    /// Those that are due and that nobody has claimed, earliest first, at most `limit`: claimed from now on until `until_ms`. One that is claimed is given to nobody
    /// else, on any node, so that a token that works once is used once.
    async fn claim_due_refreshes(&self, now_ms: i64, until_ms: i64, limit: u32) -> Result<Vec<RefreshRecord>>;
    /// Claims one, due or not. `None`: there is none, or somebody else has claimed it.
    async fn claim_refresh(&self, identity: &str, now_ms: i64, until_ms: i64) -> Result<Option<RefreshRecord>>;

    // ---- what directories push: no revision, and a row of the history for each change ----

    /// Adds a user or a group of a directory within its bounds. Marks users of whom it says something new: a new user, and each member of a group.
    ///
    /// Each of the four writes that changes something leaves a row in the history ([`Step::of_push`]), in the same transaction: what it was and what it is, and the
    /// names of the first [`Difference::MOST_KEPT`](crate::Difference::MOST_KEPT) who came into the group and who left it. Whatever is refused leaves none.
    async fn insert_scim(&self, push: &ScimPush, record: &ScimRecord, bounds: ScimBounds) -> Result<ScimWritten>;
    /// Writes the whole record in place of the one whose version is one less; `created_ms` is kept. Marks a user, the users who came into a group or left it and,
    /// where its name is another one, all of its members.
    async fn update_scim(&self, push: &ScimPush, record: &ScimRecord, bounds: ScimBounds) -> Result<ScimWritten>;
    /// Changes the members of a group, with work that grows with those who come or leave and not with those who stay. Marks those who came or
    /// left; where there are none the version stays. Otherwise why it was not done.
    async fn change_scim_members(
        &self,
        push: &ScimPush,
        change: &ScimMembers,
        bounds: ScimBounds,
    ) -> Result<std::result::Result<ScimGroupNow, ScimWritten>>;
    /// Takes a user out of all groups, and shows them to nobody but [`Store::pending_scim`] until they were followed; or takes a group away and marks all of its
    /// members. With a `version` only where it is that one.
    async fn delete_scim(&self, push: &ScimPush, directory: &str, kind: ScimKind, id: &str, version: Option<i64>) -> Result<ScimWritten>;
    /// One of them, with its members.
    async fn scim(&self, directory: &str, kind: ScimKind, id: &str) -> Result<Option<ScimRecord>>;
    /// How many of a kind there are, and those from the `start`th on (the first is 0), by their creation, at most `count`; without members.
    async fn scim_list(
        &self,
        directory: &str,
        kind: ScimKind,
        filter: &ScimFilter,
        start: u32,
        count: u32,
    ) -> Result<(u64, Vec<ScimRecord>)>;
    /// What a directory says of the user whom a provider calls so.
    async fn scim_standing(&self, directory: &str, subject: ScimSubject<'_>) -> Result<Option<ScimStanding>>;
    /// Users of whom something new was said that nobody has followed yet, deleted ones too; by id, behind `after`, at most `limit`.
    async fn pending_scim(&self, directory: &str, after: &str, limit: u32) -> Result<Vec<ScimStanding>>;
    /// Notes that what was said of these users was followed, by id and [`ScimStanding::changes`]; answers those of whom something else was said meanwhile. Those who
    /// were deleted are gone from then on.
    async fn note_scim_followed(&self, directory: &str, followed: &[(String, i64)]) -> Result<Vec<String>>;
    /// Remembers that the person has confirmed this exact origin.
    async fn remember_origin(&self, identity: &str, origin: &str, at_ms: i64) -> Result<()>;
    /// Nothing when it was not remembered.
    async fn forget_origin(&self, identity: &str, origin: &str) -> Result<()>;
    /// Origins with the time of the last confirmation, by origin.
    async fn remembered_origins(&self, identity: &str) -> Result<Vec<(String, i64)>>;
    /// How many attempts were noted for this key after `now_ms - window_ms`. What was noted for later than [`ATTEMPTS_AHEAD_MS`] after `now_ms` does not count:
    /// a clock was ahead.
    async fn attempts(&self, key: &str, now_ms: i64, window_ms: i64) -> Result<u32>;
    /// Notes one more attempt; how many there are now, this one included. Exact under concurrency.
    async fn note_attempt(&self, key: &str, now_ms: i64, window_ms: i64) -> Result<u32>;
    /// Forgets the attempts of this key.
    async fn clear_attempts(&self, key: &str) -> Result<()>;
    /// Last uses of clients `(clientId, ms)` and of grants `(id, ms, uses since the last time)`. Times only move forward; what is gone is
    /// passed over. Whoever changes one of these records at that moment is not kept waiting. On an error none was noted, so that whoever tries again counts none twice;
    /// what could not be noted beside others is the answer.
    async fn note_uses(&self, clients: &[(String, i64)], grants: &[(String, i64, i64)]) -> Result<UsesLeft>;

    // ---- audit and upkeep ----

    /// What happened to one entity, oldest first.
    async fn entity_history(&self, entity_type: &str, entity_id: &str, from: AuditStart, limit: u32) -> Result<Vec<AuditEntry>>;
    /// What one clientId or identity did, oldest first.
    async fn actor_history(&self, actor: &str, from: AuditStart, limit: u32) -> Result<Vec<AuditEntry>>;
    /// What was done to entities of one type with one grant, oldest first.
    async fn grant_history(&self, grant: &str, entity_type: &str, limit: u32) -> Result<Vec<AuditEntry>>;
    /// The whole history, newest first: of the next `most_looked` rows that the filter's actor or entity leaves, at most `limit` (not 0) that fit the rest of it.
    /// Where in the order an instant lies is found by the times of the rows; while a clock is put back, rows may lie on its other side.
    async fn whole_history(&self, wanted: &HistoryFilter, most_looked: u32, limit: u32) -> Result<HistoryPart>;
    /// Takes what only one node does, by name: for `for_ms` from now by the store's own clock, and longer where whoever has it takes it again. Whether `holder` has
    /// it now. Whoever has heard nothing for as long has it no more.
    async fn take_lease(&self, name: &str, holder: &str, for_ms: i64) -> Result<bool>;
    /// Gives it back. Nothing where somebody else has it.
    async fn end_lease(&self, name: &str, holder: &str) -> Result<()>;
    /// What tells the keys that seal and open here from others, as [`KeyRing::prints`](crate::KeyRing::prints).
    fn key_prints(&self) -> Vec<String>;
    /// On a store that several nodes share: says for so long that this one has these keys; where that is 0, it says so no more.
    async fn note_keys(&self, keys: &[String], for_ms: i64) -> Result<()>;
    /// What each node has said of its keys that still holds. Nothing where no other node can be.
    async fn keys_of_nodes(&self) -> Result<Vec<Vec<String>>>;
    /// Removes what has ended: sessions, links, requests of devices, attempts, and the older part of the change feed. Decides nothing: all of it was worthless
    /// before. Each [`PRUNED_AT_ONCE`] rows are removed by themselves, so that an error may leave the rest.
    async fn prune(&self, now_ms: i64) -> Result<()>;
    /// Removes audit rows of before `before_ms`, oldest first and at most `limit`; how many there were. Takes no revision and leaves no row
    /// of its own. The newest row stays, so that no number is given twice. Fewer than `limit`: there are no more of them.
    async fn prune_audit(&self, before_ms: i64, limit: u32) -> Result<u64>;
    /// Removes grants that ended before `before_ms`, oldest first and at most `limit`; how many there were. Takes no revision and leaves no row: whoever
    /// calls it leaves those of the last 31 days, whose credentials somebody may still use.
    async fn prune_grants(&self, before_ms: i64, limit: u32) -> Result<u64>;
    /// Looks at the next `limit` sealed values from there on, in an order that stays, and seals those again that an older key has sealed. The older keys are no
    /// longer needed after a whole round in which there were none: others may write behind the place where a round is.
    async fn reseal(&self, from: &ResealFrom, limit: u32) -> Result<Resealed>;
    /// Whether there is a value that an older key has sealed. Reads all of them.
    async fn needs_older_keys(&self) -> Result<bool>;
    /// Where the keys can be read again, once they have changed. Only the first source counts.
    fn read_keys_with(&self, source: KeySource);
    /// Reads the keys again, and takes them where the one that seals until now is among them.
    fn refresh_keys(&self) -> Refreshed;
    /// Whether the store answers and could write.
    async fn ping(&self) -> Result<()>;
}
