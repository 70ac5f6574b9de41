//! What each kind of write does.

use falconer_store::{CredentialsChange, Sealer, Write};

use crate::aggregates::{accounts, clients, credentials, grants, identities, issuers, people, roles, sessions};
use crate::connection::fault::Res;
use crate::steps::batch;
use crate::steps::writing::Writing;

pub(crate) fn apply(writing: &mut Writing<'_>, sealer: &Sealer, write: &Write) -> Res<()> {
    match write {
        Write::InsertClient(client) => clients::insert(writing, sealer, client),
        Write::UpdateClient(client) => clients::update(writing, sealer, client),
        Write::DeleteClient(client_id) => clients::delete(writing, client_id),
        Write::NoteRepeat(entity_type, entity_id) => writing.audit(entity_type, entity_id),
        Write::ReplaceStaticClients(clients) => clients::replace_static(writing, sealer, clients),
        Write::InsertRoles(roles) => roles::insert(writing, roles),
        Write::UpdateRole(role) => roles::update(writing, role),
        Write::DeleteRole(role_id) => roles::delete(writing, role_id),
        Write::Batch(roles, clients) => batch::write(writing, sealer, roles, clients),
        Write::InsertIssuer(issuer) => issuers::insert(writing, sealer, issuer),
        Write::ReplaceIssuer(issuer) => issuers::replace(writing, sealer, issuer),
        Write::RetireIssuer(name) => issuers::retire(writing, name),
        Write::InsertGrant(grant, replaces) => grants::insert(writing, grant, replaces.as_deref()),
        Write::RevokeGrants { ids, by, reason } => grants::revoke(writing, ids, by, reason),
        Write::InsertApplication(application) => grants::applications::insert(writing, application),
        Write::UpdateApplication(application) => grants::applications::update(writing, application),
        Write::DeleteApplication(id) => grants::applications::delete(writing, id),
        Write::RegisterApplication(application, token) => grants::initial_tokens::register(writing, application, token),
        Write::InsertInitialToken(token) => grants::initial_tokens::insert(writing, token),
        Write::DeleteInitialToken(id) => grants::initial_tokens::delete(writing, id),
        Write::PutScopeRegistry(registry) => grants::scope_registries::put(writing, registry),
        Write::DeleteScopeRegistry(namespace) => grants::scope_registries::delete(writing, namespace),
        Write::PutIdentity(identity) => {
            identities::put(writing, identity)?;
            writing.audit("identity", &identity.identity)
        }
        Write::FollowIdentity(identity, disable) => {
            identities::put(writing, identity)?;
            disable.iter().try_for_each(|client_id| clients::disable(writing, client_id))?;
            writing.audit("identity", &identity.identity)
        }
        Write::UpdatePerson(person) => people::update(writing, person),
        Write::LinkIdentity { identity, from, to, session } => people::link(writing, identity, from, to, session.as_deref()),
        Write::UnlinkIdentity { alone, left } => people::unlink(writing, alone, left),
        Write::InsertAccount(account, identity, hash) => accounts::insert(writing, sealer, account, identity, hash.as_deref()),
        Write::UpdateAccount(account, identity, disable) => accounts::update(writing, account, identity, disable),
        Write::ChangeCredentials(account, change) => credentials::change(writing, sealer, account, change),
        Write::InviteAccount(account, identity, link) => accounts::links::invite(writing, sealer, account, identity, link),
        Write::PutAccountLink(link) => accounts::links::put(writing, link),
        Write::UseAccountLink { link, account, password_hash, instead_of } => {
            let change = CredentialsChange::SetPassword { hash: Some(password_hash.clone()), instead_of: instead_of.clone() };
            accounts::links::take(writing, sealer, link, account, &change)
        }
        Write::EndSessions(identities) => {
            for identity in identities {
                sessions::delete_of(writing.connection, identity, None)?;
                writing.audit("identity", identity)?;
            }
            Ok(())
        }
        Write::AcceptTime => writing.accept_time(),
        Write::CompleteSetup(link, account, identity, hash) => {
            accounts::complete_setup(writing, sealer, link, account, identity, hash.as_deref())
        }
    }
}
