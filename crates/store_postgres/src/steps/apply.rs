//! What each kind of write does.

use falconer_store::{Sealer, Write};

use crate::aggregates::{accounts, clients, credentials, grants, identities, issuers, people, roles};
use crate::connection::fault::Res;
use crate::steps::batch;
use crate::steps::writing::Writing;

pub(crate) async fn apply(writing: &mut Writing<'_>, sealer: &Sealer, write: &Write) -> Res<()> {
    match write {
        Write::InsertClient(client) => clients::insert(writing, sealer, client).await,
        Write::UpdateClient(client) => clients::update(writing, sealer, client).await,
        Write::DeleteClient(client_id) => clients::delete(writing, client_id).await,
        Write::NoteRepeat(entity_type, entity_id) => writing.audit(entity_type, entity_id).await,
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
        Write::PutIdentity(identity) => {
            identities::put(writing, identity).await?;
            writing.audit("identity", &identity.identity).await
        }
        Write::UpdatePerson(person) => people::update(writing, person).await,
        Write::LinkIdentity { identity, from, to, session } => people::link(writing, identity, from, to, session.as_deref()).await,
        Write::UnlinkIdentity { alone, left } => people::unlink(writing, alone, left).await,
        Write::InsertAccount(account, identity, hash) => accounts::insert(writing, sealer, account, identity, hash.as_deref()).await,
        Write::UpdateAccount(account, identity) => accounts::update(writing, account, identity).await,
        Write::ChangeCredentials(account, change) => credentials::change(writing, sealer, account, change).await,
        Write::AcceptTime => writing.accept_time().await,
        Write::CompleteSetup(link, account, identity, hash) => {
            accounts::complete_setup(writing, sealer, link, account, identity, hash.as_deref()).await
        }
    }
}
