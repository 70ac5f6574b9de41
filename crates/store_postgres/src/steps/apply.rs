//! What each kind of write does.

use falconer_store::{CredentialsChange, Sealer, Write};

use crate::aggregates::{accounts, clients, credentials, grants, identities, issuers, people, roles, sessions};
use crate::connection::fault::Res;
use crate::steps::batch;
use crate::steps::writing::Writing;

pub(crate) async fn apply<'a>(writing: &mut Writing<'a>, sealer: &'a Sealer, write: &'a Write) -> Res<()> {
    match write {
        Write::InsertClient(client) => clients::insert(writing, sealer, client).await,
        Write::UpdateClient(client) => clients::update(writing, sealer, client).await,
        Write::DeleteClient(client_id) => clients::delete(writing, client_id).await,
        Write::NoteRepeat(entity_type, entity_id) => {
            writing.audit(entity_type, entity_id);
            Ok(())
        }
        Write::ReplaceStaticClients(clients) => clients::replace_static(writing, sealer, clients).await,
        Write::InsertRoles(roles) => roles::insert(writing, roles).await,
        Write::UpdateRole(role) => roles::update(writing, role).await,
        Write::DeleteRole(role_id) => roles::delete(writing, role_id).await,
        Write::Batch(roles, clients) => batch::write(writing, sealer, roles, clients).await,
        Write::InsertIssuer(issuer) => issuers::insert(writing, sealer, issuer).await,
        Write::ReplaceIssuer(issuer) => issuers::replace(writing, sealer, issuer).await,
        Write::RetireIssuer(name) => issuers::retire(writing, name).await,
        Write::InsertGrant(grant, replaces) => grants::insert(writing, grant, replaces.as_deref()).await,
        Write::RevokeGrants { ids, by, reason } => grants::revoke(writing, ids, by, reason).await,
        Write::InsertApplication(application) => grants::applications::insert(writing, application).await,
        Write::UpdateApplication(application) => grants::applications::update(writing, application).await,
        Write::DeleteApplication(id) => grants::applications::delete(writing, id).await,
        Write::RegisterApplication(application, token) => grants::initial_tokens::register(writing, application, token).await,
        Write::InsertInitialToken(token) => grants::initial_tokens::insert(writing, token).await,
        Write::DeleteInitialToken(id) => grants::initial_tokens::delete(writing, id).await,
        Write::PutScopeRegistry(registry) => grants::scope_registries::put(writing, registry).await,
        Write::DeleteScopeRegistry(namespace) => grants::scope_registries::delete(writing, namespace).await,
        Write::PutIdentity(identity) => {
            identities::put(writing, identity).await?;
            writing.audit("identity", &identity.identity);
            Ok(())
        }
        Write::FollowIdentity(identity, disable) => {
            identities::put(writing, identity).await?;
            clients::disable(writing, disable).await?;
            writing.audit("identity", &identity.identity);
            Ok(())
        }
        Write::UpdatePerson(person) => people::update(writing, person).await,
        Write::LinkIdentity { identity, from, to, session } => people::link(writing, identity, from, to, session.as_deref()).await,
        Write::UnlinkIdentity { alone, left } => people::unlink(writing, alone, left).await,
        Write::InsertAccount(account, identity, hash) => accounts::insert(writing, sealer, account, identity, hash.as_deref()).await,
        Write::UpdateAccount(account, identity, disable) => accounts::update(writing, account, identity, disable).await,
        Write::ChangeCredentials(account, change) => credentials::change(writing, sealer, account, change).await,
        Write::InviteAccount(account, identity, link) => accounts::links::invite(writing, sealer, account, identity, link).await,
        Write::PutAccountLink(link) => accounts::links::put(writing, link).await,
        Write::UseAccountLink { link, account, password_hash, instead_of } => {
            let change = CredentialsChange::SetPassword { hash: Some(password_hash.clone()), instead_of: instead_of.clone() };
            accounts::links::take(writing, sealer, link, account, &change).await
        }
        Write::EndSessions(identities) => {
            let ended: Vec<&str> = identities.iter().map(String::as_str).collect();
            sessions::delete_of(&writing.transaction, &ended, None).await?;
            ended.iter().for_each(|identity| writing.audit("identity", identity));
            Ok(())
        }
        Write::AcceptTime => writing.accept_time().await,
        Write::CompleteSetup(link, account, identity, hash) => {
            accounts::complete_setup(writing, sealer, link, account, identity, hash.as_deref()).await
        }
    }
}
