//! A change that was decided, and what the directory is with it.

use falconer_scopes::RoleSet;
use falconer_store::{CredentialsChange, PersonRecord, Step, Write};

use crate::directory::snapshot::Snapshot;
use crate::error::ApiError;

/// A step that was decided.
pub(crate) struct Change {
    pub(crate) step: Step,
    pub(crate) write: Write,
    /// The compiled roles of the decision's snapshot with those of a batch, which making the batch valid has made already.
    pub(crate) roles: Option<RoleSet>,
}

impl Change {
    /// Whether the step made the revision that the store answered with. One that left only an audit row has the store's present revision,
    /// and that may be of a change that this node has not heard of. What is there is certain here: the step depends on it.
    pub(crate) fn makes_a_revision(&self, before: &Snapshot) -> bool {
        match &self.write {
            // What it comes to, only the store knows.
            _ if self.is_known_to_store_only() => false,
            Write::NoteRepeat(..) | Write::EndSessions(_) | Write::DeleteInitialToken(_) => false,
            Write::DeleteClient(client_id) => before.client_entry(client_id).is_some(),
            Write::DeleteRole(role_id) => before.role(role_id).is_some(),
            Write::DeleteApplication(id) => before.applications().get(id).is_some(),
            Write::DeleteScopeRegistry(namespace) => before.scope_registries().get(namespace).is_some(),
            _ => true,
        }
    }

    /// Whether only the store knows which records it changes: this node answers from it after the change was read back, and nobody decides on it before.
    ///
    /// INVARIANT: what a revocation takes along is not worked out in memory. Grants that have ended are not there, and what came of them may be.
    pub(crate) fn is_known_to_store_only(&self) -> bool {
        match &self.write {
            Write::ReplaceStaticClients(_) | Write::PutAccountLink(_) | Write::RevokeGrants { .. } => true,
            Write::InsertGrant(_, replaces) => replaces.is_some(),
            _ => false,
        }
    }

    /// What the directory is with it.
    pub(crate) fn apply(&self, next: &mut Snapshot) {
        let step = &self.step;
        match &self.write {
            Write::InsertClient(record) | Write::UpdateClient(record) => next.put_client(record.clone()),
            Write::DeleteClient(client_id) => next.drop_client(client_id),
            Write::NoteRepeat(..)
            | Write::ReplaceStaticClients(_)
            | Write::PutAccountLink(_)
            | Write::EndSessions(_)
            | Write::RevokeGrants { .. }
            | Write::InsertGrant(_, Some(_)) => (),
            Write::AcceptTime => next.accept_time(step.at_ms),
            Write::InsertRoles(records) => next.put_roles(records.iter().cloned()),
            Write::UpdateRole(record) => next.put_roles([record.clone()]),
            Write::DeleteRole(role_id) => next.drop_role(role_id),
            Write::Batch(roles, clients) => {
                match &self.roles {
                    Some(set) => next.put_validated_roles(roles.iter().cloned(), set.clone()),
                    None => next.put_roles(roles.iter().cloned()),
                }
                clients.iter().for_each(|client| next.put_client(client.clone()));
            }
            Write::InsertIssuer(record) | Write::ReplaceIssuer(record) => next.put_issuer(record.clone()),
            Write::RetireIssuer(name) => next.retire_issuer(name, step.at_ms),
            Write::InsertGrant(record, None) => next.put_grant(record.clone()),
            Write::InsertApplication(record) | Write::UpdateApplication(record) => next.put_application(record.clone()),
            Write::DeleteApplication(id) => next.drop_application(id),
            Write::RegisterApplication(record, _) => next.put_application(record.clone()),
            Write::PutScopeRegistry(record) => next.put_scope_registry(record.clone()),
            Write::DeleteScopeRegistry(namespace) => next.drop_scope_registry(namespace),
            // No node keeps these.
            Write::InsertInitialToken(_) | Write::DeleteInitialToken(_) => {}
            Write::PutIdentity(record)
            | Write::InsertAccount(_, record, _)
            | Write::InviteAccount(_, record, _)
            | Write::CompleteSetup(_, _, record, _) => next.write_identity(record.clone(), step.at_ms),
            Write::FollowIdentity(record, disable) | Write::UpdateAccount(_, record, disable) => {
                next.write_identity(record.clone(), step.at_ms);
                disable.iter().for_each(|client_id| next.disable_client(client_id, step.at_ms));
            }
            // No node keeps credentials.
            Write::ChangeCredentials(..) | Write::UseAccountLink { .. } => {}
            Write::UpdatePerson(record) => write_person(next, record),
            Write::LinkIdentity { identity, from, to, .. } => {
                next.move_identity(identity, to);
                next.drop_person(from);
                if let Some(record) = next.person(to).map(|person| person.record.clone()) {
                    let last_modified_ms = record.last_modified_ms.max(step.at_ms);
                    next.put_person(PersonRecord { last_modified_ms, ..record });
                }
            }
            Write::UnlinkIdentity { alone, left } => {
                write_person(next, left);
                next.put_person(alone.clone());
                next.move_identity(&alone.name, &alone.id);
            }
        }
    }

    /// Where a conflict is the caller's to know. Elsewhere it means that the directory was behind, and the decision is made again.
    pub(crate) fn final_conflict(&self) -> Option<ApiError> {
        let text = match &self.write {
            Write::InsertAccount(account, ..) | Write::InviteAccount(account, ..) => {
                format!("The account name {} is or was in use", account.name)
            }
            Write::UpdateAccount(account, ..) => format!("There is no account {}", account.name),
            Write::CompleteSetup(..) => "The set-up link was used or is over, or the account name is taken".to_owned(),
            Write::ChangeCredentials(_, change) => match change {
                CredentialsChange::SetPassword { .. } => "Somebody else has just changed the password.",
                CredentialsChange::AddPasskey(_) => "This passkey is registered already.",
                CredentialsChange::RemovePasskey { keep_a_way_in: true, .. } => {
                    "This passkey is gone already, or it is the last way in: add another one, or a password, first."
                }
                CredentialsChange::RenamePasskey { .. } | CredentialsChange::RemovePasskey { .. } => "There is no such passkey any more.",
                CredentialsChange::ReplaceRecoveryCodes(_) => "There is no such account any more.",
                CredentialsChange::UseRecoveryCode(_) | CredentialsChange::RemoveRecoveryCode(_) => "This recovery code was used already.",
            }
            .to_owned(),
            Write::RegisterApplication(..) => "The initial access token was used up, was revoked or has ended".to_owned(),
            Write::InsertInitialToken(token) => {
                format!("There is an initial access token {}: revoke it first, or choose another name", token.id)
            }
            Write::UseAccountLink { .. } => "The link was used or is over".to_owned(),
            Write::PutAccountLink(link) => format!("There is no account {}", link.account),
            Write::LinkIdentity { session: Some(_), .. } => "What was to be linked was confirmed already, or its time is over".to_owned(),
            _ => return None,
        };
        Some(ApiError::RequestConflict(text))
    }
}

/// As the store has it: the time of creation stays.
fn write_person(next: &mut Snapshot, record: &PersonRecord) {
    let created_ms = next.person(&record.id).map_or(record.created_ms, |before| before.record.created_ms);
    next.put_person(PersonRecord { created_ms, ..record.clone() });
}
