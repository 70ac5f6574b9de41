//! PostgreSQL goes away under the real binary and comes back: nobody who only verifies notices, no change is acknowledged that is not there, and
//! nothing has to be restarted.

use crate::support::place::Place;
use falconer_client::{Client, Credentials, Error, Method, Retry};
use falconer_wire::{AuthenticateHawkRequest, AuthenticateHawkResponse, ClientRequest, RoleRequest};
use std::time::{Duration, Instant};

fn a_client(description: &str) -> ClientRequest {
    ClientRequest {
        expires: "2100-01-01T00:00:00.000Z".to_owned(),
        description: description.to_owned(),
        scopes: Some(vec!["auth:current-scopes".to_owned()]),
        delete_on_expiration: false,
    }
}

fn a_role(description: &str) -> RoleRequest {
    RoleRequest { scopes: vec!["notes:read:*".to_owned()], description: description.to_owned() }
}

/// Without tries again, so that each answer is seen.
fn once(client: Client) -> Client {
    client.with_retry(Retry { tries: 1, ..Retry::default() })
}

/// What a service does for each request that it gets: it asks whether the signature is right.
async fn verifies(server: &Client, signer: &Client) -> bool {
    let url = "https://notes.example.com/note/1";
    let request = AuthenticateHawkRequest {
        method: "get".to_owned(),
        resource: "/note/1".to_owned(),
        host: "notes.example.com".to_owned(),
        port: 443,
        authorization: signer.authorization(&Method::GET, url, None).unwrap(),
        source_ip: None,
    };
    matches!(server.authenticate_hawk(&request).await, Ok(AuthenticateHawkResponse::Success { .. }))
}

/// Whether it was refused as what the protocol has for "not now".
fn is_503<T: std::fmt::Debug>(answer: Result<T, Error>) -> bool {
    match answer {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.status(), Some(503), "{error:?}");
            assert_eq!(error.code(), Some("ServiceUnavailable"), "{error:?}");
            true
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn verification_goes_on_and_nothing_is_lost_or_made_up() {
    let place = Place::postgres().await;
    let database = place.database.as_ref().unwrap();
    let init = place.init(&[]);
    let mut server = place.start();
    let root = once(server.client(&init));
    let created = root.create_client("project/robot", &a_client("as made")).await.unwrap();
    root.create_role("project-role", &a_role("as made")).await.unwrap();
    let robot = once(Client::new(&server.root_url).unwrap().with_credentials(Credentials::new("project/robot", &created.access_token)));
    let history = root.entity_history("client", "project/robot", None, None).await.unwrap();

    for outage in 0..3 {
        database.go_away().await;
        for number in 0..5 {
            assert!(verifies(&root, &robot).await, "outage {outage}: verification needs no database");
            robot.current_scopes().await.expect("reading what is in memory needs no database");
            assert_eq!(root.client("project/robot").await.unwrap().unwrap().description, "as made");
            let refused = format!("refused/{outage}/{number}");
            assert!(is_503(root.create_client(&refused, &a_client("never")).await));
            assert!(is_503(root.update_client("project/robot", &a_client("never")).await));
            assert!(is_503(root.reset_access_token("project/robot").await));
            assert!(is_503(root.delete_client("project/robot").await));
            assert!(is_503(root.create_role(&refused, &a_role("never")).await));
            assert!(is_503(root.update_role("project-role", &a_role("never")).await));
            assert!(is_503(root.delete_role("project-role").await));
            assert!(is_503(root.entity_history("client", "project/robot", None, None).await), "histories are read from the database");
        }
        assert!(server.lives());
        database.come_back().await;
        // By itself, and soon; until then the answer stays 503.
        let until = Instant::now() + crate::support::patience::patience();
        let back = format!("back/{outage}");
        while is_503(root.create_client(&back, &a_client("after the outage")).await) {
            assert!(Instant::now() < until, "outage {outage}: it does not recover");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(verifies(&root, &robot).await, "the access token is what it was");
    }

    // Nothing of what was refused has happened: as the server sees it, as one that starts afresh reads it, and in the histories.
    let server = {
        let before = root.list_all_clients(None).await.unwrap();
        assert_eq!(server.end(), Some(0));
        let server = place.start();
        let after = server.client(&init).list_all_clients(None).await.unwrap();
        let named = |clients: &[falconer_wire::Client]| -> Vec<(String, String)> {
            clients.iter().map(|client| (client.client_id.clone(), client.description.clone())).collect()
        };
        assert_eq!(named(&before), named(&after));
        server
    };
    let root = server.client(&init);
    assert!(root.list_all_clients(Some("refused/")).await.unwrap().is_empty());
    assert_eq!(root.list_all_clients(Some("back/")).await.unwrap().len(), 3);
    assert_eq!(root.role("project-role").await.unwrap().unwrap().description, "as made");
    assert!(root.list_roles().await.unwrap().iter().all(|role| !role.role_id.starts_with("refused/")));
    assert_eq!(root.entity_history("client", "project/robot", None, None).await.unwrap(), history);
}
