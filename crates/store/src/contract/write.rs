//! What a step writes.

use std::future::Future;
use std::pin::Pin;

use crate::{
    AccountLink, AccountRecord, ApplicationRecord, ClientRecord, CredentialsChange, Epoch, GrantRecord, IdentityRecord, InitialTokenRecord,
    IssuerRecord, PersonRecord, RoleRecord, ScopeRegistryRecord, Step,
};

/// What is to be committed, and the history in which it was decided: not known yet. `None`: nothing.
pub type Deciding = Pin<Box<dyn Future<Output = Option<(Epoch, Vec<(Step, Write)>)>> + Send>>;

/// The part of a [`Step`](crate::Step) that changes records. Each is described at the method of [`Store`](crate::Store) of its name.
#[derive(Debug, Clone)]
pub enum Write {
    /// [`insert_client`](crate::Store::insert_client)
    InsertClient(ClientRecord),
    /// [`update_client`](crate::Store::update_client)
    UpdateClient(ClientRecord),
    /// [`delete_client`](crate::Store::delete_client)
    DeleteClient(String),
    /// [`note_repeat`](crate::Store::note_repeat): type and id of the entity
    NoteRepeat(String, String),
    /// [`replace_static_clients`](crate::Store::replace_static_clients)
    ReplaceStaticClients(Vec<ClientRecord>),
    /// [`insert_roles`](crate::Store::insert_roles)
    InsertRoles(Vec<RoleRecord>),
    /// [`update_role`](crate::Store::update_role)
    UpdateRole(RoleRecord),
    /// [`delete_role`](crate::Store::delete_role)
    DeleteRole(String),
    /// [`write_batch`](crate::Store::write_batch)
    Batch(Vec<RoleRecord>, Vec<ClientRecord>),
    /// [`insert_issuer`](crate::Store::insert_issuer)
    InsertIssuer(IssuerRecord),
    /// [`replace_issuer`](crate::Store::replace_issuer)
    ReplaceIssuer(IssuerRecord),
    /// [`retire_issuer`](crate::Store::retire_issuer)
    RetireIssuer(String),
    /// [`insert_grant`](crate::Store::insert_grant), with the id of the one that it replaces
    InsertGrant(GrantRecord, Option<String>),
    /// [`revoke_grants`](crate::Store::revoke_grants)
    RevokeGrants {
        /// Which.
        ids: Vec<String>,
        /// Who revokes them.
        by: String,
        /// Why.
        reason: String,
    },
    /// [`insert_application`](crate::Store::insert_application)
    InsertApplication(ApplicationRecord),
    /// [`update_application`](crate::Store::update_application)
    UpdateApplication(ApplicationRecord),
    /// [`delete_application`](crate::Store::delete_application)
    DeleteApplication(String),
    /// [`register_application`](crate::Store::register_application), with the hash of the initial token
    RegisterApplication(ApplicationRecord, String),
    /// [`insert_initial_token`](crate::Store::insert_initial_token)
    InsertInitialToken(InitialTokenRecord),
    /// [`delete_initial_token`](crate::Store::delete_initial_token)
    DeleteInitialToken(String),
    /// [`put_scope_registry`](crate::Store::put_scope_registry)
    PutScopeRegistry(ScopeRegistryRecord),
    /// [`delete_scope_registry`](crate::Store::delete_scope_registry)
    DeleteScopeRegistry(String),
    /// [`put_identity`](crate::Store::put_identity)
    PutIdentity(IdentityRecord),
    /// [`follow_identity`](crate::Store::follow_identity): with the clientIds of those that are disabled
    FollowIdentity(IdentityRecord, Vec<String>),
    /// [`update_person`](crate::Store::update_person)
    UpdatePerson(PersonRecord),
    /// [`link_identity`](crate::Store::link_identity)
    LinkIdentity {
        /// What is linked.
        identity: String,
        /// The id of the person that it is, who ends.
        from: String,
        /// The id of the person that it belongs to from then on.
        to: String,
        /// The session in which both were proven; `None`: an operator links them.
        session: Option<String>,
    },
    /// [`unlink_identity`](crate::Store::unlink_identity)
    UnlinkIdentity {
        /// What the identity is from then on, and is named by.
        alone: PersonRecord,
        /// The person that it leaves.
        left: PersonRecord,
    },
    /// [`insert_account`](crate::Store::insert_account), with the hash of the password
    InsertAccount(AccountRecord, IdentityRecord, Option<String>),
    /// [`update_account`](crate::Store::update_account): with the clientIds of those that are disabled
    UpdateAccount(AccountRecord, IdentityRecord, Vec<String>),
    /// [`change_credentials`](crate::Store::change_credentials): the name of the account first
    ChangeCredentials(String, CredentialsChange),
    /// [`invite_account`](crate::Store::invite_account)
    InviteAccount(AccountRecord, IdentityRecord, AccountLink),
    /// [`put_account_link`](crate::Store::put_account_link)
    PutAccountLink(AccountLink),
    /// [`use_account_link`](crate::Store::use_account_link)
    UseAccountLink {
        /// Of the link's token.
        link: String,
        /// The account's name.
        account: String,
        /// Of the new password.
        password_hash: String,
        /// The hash that the account has until then, where it has one.
        instead_of: Option<String>,
    },
    /// [`end_sessions`](crate::Store::end_sessions)
    EndSessions(Vec<String>),
    /// [`accept_time`](crate::Store::accept_time)
    AcceptTime,
    /// [`complete_setup`](crate::Store::complete_setup): the hash of the link's token first, the hash of the password last
    CompleteSetup(String, AccountRecord, IdentityRecord, Option<String>),
}
