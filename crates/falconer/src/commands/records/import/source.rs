//! Another deployment: its roles and clients, through its API.

use anyhow::{Context, Result, anyhow};
use falconer_client::{Client, Credentials, Error};
use falconer_wire::{ImportClient, ImportRecord, ImportRole};

use super::records::{Origin, RecordErrors, Records};
use crate::output::WrongUse;

/// How many roles are asked for at once.
const PAGE: u32 = 1000;

/// Credentials for the other deployment; `None`: it is asked without any.
pub fn credentials(client_id: Option<&str>, access_token: Option<&str>, certificate: Option<&str>) -> Result<Option<Credentials>> {
    let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    match (given(client_id), given(access_token)) {
        (Some(client_id), Some(token)) => {
            let credentials = Credentials::new(client_id, token);
            Ok(Some(match given(certificate) {
                Some(certificate) => credentials.with_certificate(certificate).context("FALCONER_FROM_CERTIFICATE")?,
                None => credentials,
            }))
        }
        (None, None) => Ok(None),
        _ => Err(WrongUse(
            "give both --from-client-id and --from-access-token (or FALCONER_FROM_CLIENT_ID and FALCONER_FROM_ACCESS_TOKEN)".to_owned(),
        )
        .into()),
    }
}

/// Reads and validates everything that can be taken along. Static clients stay, and that is said.
pub async fn read(url: &str, credentials: Option<Credentials>) -> Result<Records> {
    let client = Client::new(url)?;
    let client = match credentials {
        Some(credentials) => client.with_credentials(credentials),
        None => client,
    };
    let mut records = Records::new(Origin(None));
    let mut token = None;
    loop {
        let page = client.list_roles2(Some(PAGE), token.as_deref()).await.map_err(|error| refused(url, "roles", &error))?;
        for role in page.roles {
            let role = ImportRole { role_id: role.role_id, scopes: role.scopes, description: role.description };
            records.push(records.len() + 1, ImportRecord::Role(role));
        }
        token = page.continuation_token;
        if token.is_none() {
            break;
        }
    }
    let clients = client.list_all_clients(None).await.map_err(|error| refused(url, "clients", &error))?;
    let (left, taken): (Vec<_>, Vec<_>) = clients.into_iter().partition(|client| client.client_id.starts_with("static/"));
    if !left.is_empty() {
        let ids: Vec<&str> = left.iter().map(|client| client.client_id.as_str()).collect();
        eprintln!("left out, because they belong to the configuration of {url}: {}", ids.join(", "));
    }
    for client in taken {
        let client = ImportClient {
            client_id: client.client_id,
            scopes: client.scopes,
            expires: client.expires,
            description: client.description,
            delete_on_expiration: client.delete_on_expiration,
            disabled: Some(client.disabled),
            access_token: None,
        };
        records.push(records.len() + 1, ImportRecord::Client(client));
    }
    records.validated(RecordErrors::default()).with_context(|| format!("{url} has what Falconer does not take"))
}

/// As text: the advice that `main` has for errors of a server is about the credentials of the environment, which are not at fault here.
fn refused(url: &str, what: &str, error: &Error) -> anyhow::Error {
    let next = match error.status() {
        Some(401 | 403) => {
            "\nThe credentials for it come from --from-client-id and --from-access-token, or from FALCONER_FROM_CLIENT_ID and \
                            FALCONER_FROM_ACCESS_TOKEN."
        }
        _ => "",
    };
    anyhow!("can't list the {what} of {url}: {error}{next}")
}
