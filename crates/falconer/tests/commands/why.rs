//! `falconer why`, at the terminal of a running server and over its API.

use crate::support::user::{Shell, local};
use crate::support::{Server, http, init};
use falconer_client::Credentials;
use http::Method;
use serde_json::{Value, json};

/// What the server answers a service that asks about a request which was signed for another port.
async fn refused(server: &Server, credentials: &Credentials) -> Value {
    let signed = falconer_client::Client::new("https://notes.example.com").unwrap().with_credentials(credentials.clone());
    let header = signed.authorization(&Method::GET, "https://notes.example.com/books/red", None).unwrap();
    let request = json!({"method": "get", "resource": "/books/red", "host": "notes.example.com", "port": 8443, "authorization": header});
    let question = json!({"request": request, "required": "x"});
    let url = format!("{}/api/falconer/v1/check", server.root_url);
    http().post(url).json(&question).send().await.unwrap().json().await.unwrap()
}

#[test]
fn a_refusal_explains_itself_at_the_terminal_and_over_the_api() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let root = init(&data);
    let server = Server::start(&data);
    let credentials = Credentials::new(&root.client_id, &root.access_token);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(refused(&server, &credentials));
    assert_eq!((&answer["status"], &answer["reason"]), (&json!("failed"), &json!("bad-mac")));
    let id = answer["id"].as_str().unwrap();

    let here = local(&data, &["why", id]).ok();
    assert!(here.contains("The signature would match for notes.example.com:443; it was asked about for notes.example.com:8443"), "{here}");
    let shell = Shell::with(&server.root_url, &credentials);
    let there = shell.run(&["why", id, "--remote", "--json"]).json();
    assert_eq!(there["wouldMatch"], json!({"method": "get", "resource": "/books/red", "host": "notes.example.com", "port": 443}));
    // One id of 64 begins with a hyphen, and was taken for an option.
    for id in ["AbCdEfGhIjKlMnOpQrStUv", "-bCdEfGhIjKlMnOpQrStUv"] {
        shell.run(&["why", id, "--remote"]).refused(1, "remembers no refusal");
    }
    Shell::at(&server.root_url).run(&["why", id, "--remote"]).refused(1, "requires");
}
