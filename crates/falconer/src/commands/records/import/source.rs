//! Another deployment: its roles and clients, through its API.

use anyhow::{Context, Result, anyhow};
use falconer_client::{Client, Credentials, Error};

use super::records::{Origin, RecordErrors, Records};
use crate::commands::records::listing::Listing;
use crate::output::{WrongUse, harmless};

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
    let listing = Listing::read(&client).await.map_err(|error| refused(url, &error))?;
    if !listing.of_configuration.is_empty() {
        eprintln!("left out, because they belong to the configuration of {url}: {}", harmless(&listing.of_configuration.join(", ")));
    }
    if !listing.of_grants.is_empty() {
        let ids: Vec<&str> = listing.of_grants.iter().map(|client| client.client_id.as_str()).collect();
        eprintln!("left out, because they end with grants of {url}: {}", harmless(&ids.join(", ")));
    }
    let mut records = Records::new(Origin(None));
    for record in listing.into_records() {
        records.push(records.len() + 1, record);
    }
    records.validated(RecordErrors::default()).with_context(|| format!("{url} has what Falconer does not take"))
}

/// As text: the advice that `main` has for errors of a server is about the credentials of the environment, which are not at fault here.
fn refused(url: &str, error: &anyhow::Error) -> anyhow::Error {
    let status = error.chain().find_map(|cause| cause.downcast_ref::<Error>()).and_then(Error::status);
    let next = match status {
        Some(401 | 403) => {
            "\nThe credentials for it come from --from-client-id and --from-access-token, or from FALCONER_FROM_CLIENT_ID and \
                            FALCONER_FROM_ACCESS_TOKEN."
        }
        _ => "",
    };
    anyhow!("{url}: {error:#}{next}")
}
