//! Credentials of all kinds, clients, roles, signed URLs.
//!
//! This client signs requests without their query string, so calls with query parameters fail on every correct server. Such calls are made
//! here only to show that they are refused.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde_json::json;
use taskcluster::{Auth, ClientBuilder, Credentials};

use crate::server::Server;

fn status(error: &anyhow::Error) -> Option<u16> {
    taskcluster::err_status_code(error).map(|status| status.as_u16())
}

fn in_an_hour() -> String {
    let time: taskcluster::chrono::DateTime<taskcluster::chrono::Utc> = (SystemTime::now() + Duration::from_secs(3600)).into();
    time.to_rfc3339()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_client_works() -> Result<()> {
    let server = Server::start(&[], &[])?;
    let root = server.auth(server.credentials.clone())?;
    assert_eq!(root.currentScopes().await?, json!({"scopes": ["*"]}));

    let input = json!({"expires": in_an_hour(), "description": "from a test", "scopes": ["auth:current-scopes", "notes:read:*"]});
    let created = root.createClient("rust/one", &input).await?;
    let token = created["accessToken"].as_str().context("no token")?;
    let mine = server.auth(Credentials::new("rust/one", token))?;
    let held_scopes = json!({"scopes": ["assume:anonymous", "auth:current-scopes", "notes:read:*"]});
    assert_eq!(mine.currentScopes().await?, held_scopes);
    assert_eq!(root.client("rust/one").await?["description"], "from a test");
    root.updateClient("rust/one", &json!({"expires": in_an_hour(), "description": "changed"})).await?;
    assert_eq!(root.client("rust/one").await?["description"], "changed");
    let refused = root.client("rust/none").await.unwrap_err();
    assert_eq!(status(&refused), Some(404));

    root.createRole("rust:*", &json!({"description": "", "scopes": ["badge:<..>"]})).await?;
    assert_eq!(root.expandScopes(&json!({"scopes": ["assume:rust:a"]})).await?, json!({"scopes": ["assume:rust:a", "badge:a"]}));
    root.updateRole("rust:*", &json!({"description": "", "scopes": ["door"]})).await?;
    assert_eq!(root.role("rust:*").await?["scopes"], json!(["door"]));
    root.deleteRole("rust:*").await?;

    let narrow = ["auth:current-scopes", "notes:read:a"];
    let expected = json!({"scopes": ["assume:anonymous", "auth:current-scopes", "notes:read:a"]});
    let hour = Duration::from_secs(3600);
    let anonymous = server.credentials.create_temp_creds(hour, narrow)?;
    assert_eq!(server.auth(anonymous)?.currentScopes().await?, expected);
    let named = server.credentials.create_named_temp_creds("rust/named", hour, narrow)?;
    assert_eq!(server.auth(named)?.currentScopes().await?, expected);

    let authorized = Auth::new(ClientBuilder::new(&server.root_url).credentials(server.credentials.clone()).authorized_scopes(narrow))?;
    assert_eq!(authorized.currentScopes().await?, expected);

    let url = root.currentScopes_signed_url(Duration::from_secs(60))?;
    assert_eq!(reqwest::get(url).await?.text().await?.contains("\"*\""), true);

    let parts = json!({"method": "get", "resource": "/x", "host": "h.example", "port": 443});
    assert_eq!(root.authenticateHawk(&parts).await?["status"], "no-auth");

    let granted = server.grant("https://notes.example.com/cb", "notes:read:zap")?;
    assert_eq!(
        server.auth(granted)?.currentScopes().await?,
        json!({"scopes": ["assume:anonymous", "auth:current-scopes", "notes:read:zap"]})
    );

    root.disableClient("rust/one").await?;
    assert_eq!(status(&mine.currentScopes().await.unwrap_err()), Some(401));
    root.deleteClient("rust/one").await?;

    // Exempt by name: listClients with a query parameter and credentials.
    let unsigned_query = root.listClients(Some("rust/"), None, None).await.unwrap_err();
    assert_eq!(status(&unsigned_query), Some(401));
    Ok(())
}
