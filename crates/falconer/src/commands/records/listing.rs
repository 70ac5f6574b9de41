//! All roles and clients of a deployment, as they were at one moment.
//!
//! A listing comes in pages, and between two of them others may change records: pages of different moments can leave out records that nobody
//! touched, and put together what never was. So what was listed counts only if nothing changed meanwhile: Falconer tells its revision before and
//! after. Where there is no revision to ask for, two listings one after the other must be equal; then each record was the same from the one to
//! the other, and all of them at the moment between the two.

use anyhow::{Context, Result, bail};
use falconer_client::{Call, Client, Error, Method};
use falconer_wire::{ClientWithGrant, ImportClient, ImportRecord, ImportRole};
use serde_json::Value;

/// How many roles are asked for at once.
const PAGE: u32 = 1000;
/// After so many listings that others changed something during, somebody has to look for a quieter time.
const MOST_LISTINGS: u32 = 12;

/// What can be taken along, as `import` reads it, and what can't.
#[derive(PartialEq, Eq)]
pub struct Listing {
    pub roles: Vec<ImportRole>,
    pub clients: Vec<ImportClient>,
    /// Ids of clients under `static/`: they belong to the configuration of a server.
    pub of_configuration: Vec<String>,
    /// Clients that were made with a grant. They end with it, and grants don't move: taken along, they would last.
    pub of_grants: Vec<ImportClient>,
}

impl Listing {
    /// Lists until nothing changed meanwhile.
    pub async fn read(client: &Client) -> Result<Listing> {
        let mut before = revision(client).await?;
        let mut last = None;
        for _ in 0..MOST_LISTINGS {
            let listing = Listing::once(client, before.is_some()).await?;
            let after = revision(client).await?;
            if (before.is_some() && before == after) || last.as_ref() == Some(&listing) {
                return Ok(listing);
            }
            (before, last) = (after, Some(listing));
        }
        bail!(
            "roles or clients of {} changed during each of {MOST_LISTINGS} listings, so that none of them is whole; nothing was written. Run it again \
             when less is being changed",
            client.root_url()
        )
    }

    async fn once(client: &Client, is_falconer: bool) -> Result<Listing> {
        let mut listing = Listing { roles: Vec::new(), clients: Vec::new(), of_configuration: Vec::new(), of_grants: Vec::new() };
        let mut token = None;
        loop {
            let page = client.list_roles2(Some(PAGE), token.as_deref()).await.context("can't list the roles")?;
            let role = |role: falconer_wire::Role| ImportRole { role_id: role.role_id, scopes: role.scopes, description: role.description };
            listing.roles.extend(page.roles.into_iter().map(role));
            token = page.continuation_token;
            if token.is_none() {
                break;
            }
        }
        for ClientWithGrant { client, grant, .. } in clients(client, is_falconer).await.context("can't list the clients")? {
            if client.client_id.starts_with("static/") {
                listing.of_configuration.push(client.client_id);
                continue;
            }
            let place = if grant.is_some() { &mut listing.of_grants } else { &mut listing.clients };
            place.push(ImportClient {
                client_id: client.client_id,
                scopes: client.scopes,
                expires: client.expires,
                description: client.description,
                delete_on_expiration: client.delete_on_expiration,
                // Said even where it is false: an import makes it so.
                disabled: Some(client.disabled),
                access_token: None,
            });
        }
        Ok(listing)
    }

    /// Those that end with a grant are taken along too, in the order of all ids.
    pub fn take_clients_of_grants(&mut self) {
        self.clients.append(&mut self.of_grants);
        self.clients.sort_by(|one, other| one.client_id.cmp(&other.client_id));
    }

    /// Roles first, because clients may need them.
    pub fn into_records(self) -> impl Iterator<Item = ImportRecord> {
        self.roles.into_iter().map(ImportRecord::Role).chain(self.clients.into_iter().map(ImportRecord::Client))
    }
}

/// All clients, with the grants that they were made with as far as the server says so.
async fn clients(client: &Client, is_falconer: bool) -> Result<Vec<ClientWithGrant>, Error> {
    if is_falconer {
        match client.list_all_client_records(None).await {
            // A Falconer from before this method: it does not tell.
            Err(Error::Api { status: 404, .. }) => {}
            answer => return answer,
        }
    }
    let clients = client.list_all_clients(None).await?;
    Ok(clients
        .into_iter()
        .map(|client| ClientWithGrant { client, grant: None, old_token_ends: None, certificates_from: None, revoked_seeds: Vec::new() })
        .collect())
}

/// The revision that the server answers from; `None` where there is no such thing.
async fn revision(client: &Client) -> Result<Option<i64>> {
    let call = Call { method: Method::GET, service: "falconer", version: "v1", route: "/revision".to_owned(), query: Vec::new() };
    match client.call(&call, None).await {
        Ok(answer) => Ok(answer.get("revision").and_then(Value::as_i64)),
        // Another implementation of the protocol.
        Err(Error::Api { status: 400..=499, .. }) => Ok(None),
        Err(error) => Err(error).context("can't ask for the revision"),
    }
}
