//! PostgreSQL falls silent under the real binary: what is sent to it is acknowledged and never answered. Whoever only verifies does not notice; a change is
//! answered in time, with what is known of it; and nothing has to be restarted.
//!
//! Statements had no limit of their own before: one change that waited for its answer held up every later one, for as long as the silence took.

use std::time::{Duration, Instant};

use crate::support::patience::patience;
use crate::support::place::Place;
use crate::support::silent_proxy::{Kept, SilentProxy};
use crate::support::{Init, Server};
use falconer_client::{Client, Error, Method};
use falconer_wire::{AuthenticateHawkRequest, AuthenticateHawkResponse, ClientRequest};

/// Five seconds of silence, a second between two questions, and as long again for a machine that does a lot besides. A request's own time is a minute.
const BOUND: Duration = Duration::from_secs(12);
/// What a 503 says of a change of which nobody knows.
pub const NOT_KNOWN: &str = "may or may not have been made";

pub fn a_client() -> ClientRequest {
    ClientRequest {
        expires: "2100-01-01T00:00:00.000Z".to_owned(),
        description: "as made".to_owned(),
        scopes: Some(vec!["auth:current-scopes".to_owned()]),
        delete_on_expiration: false,
    }
}

/// A server whose database is behind a proxy.
struct Setting {
    place: Place,
    proxy: SilentProxy,
    server: Server,
    init: Init,
    root: Client,
}

async fn setting() -> Setting {
    let mut place = Place::postgres().await;
    let proxy = SilentProxy::before(place.database_address()).await;
    place.reach_database_at(proxy.address);
    let (place, init, server, root) = place.serve().await;
    Setting { place, proxy, server, init, root }
}

impl Setting {
    /// What a service does for each request that it gets.
    async fn verifies(&self) -> bool {
        let request = AuthenticateHawkRequest {
            method: "get".to_owned(),
            resource: "/note/1".to_owned(),
            host: "notes.example.com".to_owned(),
            port: 443,
            authorization: self.root.authorization(&Method::GET, "https://notes.example.com/note/1", None).unwrap(),
            source_ip: None,
        };
        matches!(self.root.authenticate_hawk(&request).await, Ok(AuthenticateHawkResponse::Success { .. }))
    }

    async fn status(&self, path: &str) -> u16 {
        crate::support::http().get(format!("{}{path}", self.server.root_url)).send().await.unwrap().status().as_u16()
    }

    /// What the server says of creating this client, and that it says it in time.
    async fn refused(&self, client_id: &str) -> String {
        let began = Instant::now();
        let error = self.root.create_client(client_id, &a_client()).await.expect_err("the database is silent");
        assert!(began.elapsed() < BOUND, "{client_id}: {:?}", began.elapsed());
        said(&error)
    }

    /// Waits until changes are made again, without a restart.
    async fn recovers(&self) {
        let until = Instant::now() + patience();
        while let Err(error) = self.root.create_client("project/back", &a_client()).await {
            said(&error);
            assert!(Instant::now() < until, "it does not recover: {error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(self.status("/__heartbeat__").await, 200);
    }

    /// Whether the client is there, as the running server says, and that one which reads the database anew says the same.
    async fn has(self, client_id: &str) -> bool {
        let here = self.root.client(client_id).await.unwrap().is_some();
        assert_eq!(self.server.end(), Some(0));
        let server = self.place.start();
        assert_eq!(server.client(&self.init).client(client_id).await.unwrap().is_some(), here, "{client_id}");
        here
    }
}

/// The text of what the protocol has for "not now".
fn said(error: &Error) -> String {
    assert_eq!((error.status(), error.code()), (Some(503), Some("ServiceUnavailable")), "{error:?}");
    error.to_string()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn verification_goes_on_and_changes_are_refused_in_time() {
    let setting = setting().await;
    setting.root.create_client("project/robot", &a_client()).await.unwrap();
    setting.proxy.fall_silent();
    for number in 0..3 {
        let began = Instant::now();
        assert!(setting.verifies().await);
        setting.root.current_scopes().await.expect("this is in memory");
        assert!(setting.root.client("project/robot").await.unwrap().is_some());
        assert_eq!(setting.status("/__lbheartbeat__").await, 200);
        assert!(began.elapsed() < Duration::from_secs(3), "nobody who reads waits: {:?}", began.elapsed());
        let said = setting.refused(&format!("refused/{number}")).await;
        assert!(!said.contains(NOT_KNOWN), "no commit was sent, so it is not done: {said}");
        let began = Instant::now();
        assert_eq!(setting.status("/__heartbeat__").await, 503);
        assert!(began.elapsed() < BOUND, "the heartbeat: {:?}", began.elapsed());
    }
    setting.proxy.go_on();
    setting.recovers().await;
    assert!(setting.root.list_all_clients(Some("refused/")).await.unwrap().is_empty());
    assert!(!setting.has("refused/0").await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn of_a_commit_that_was_not_answered_nobody_knows() {
    let setting = setting().await;
    setting.proxy.fall_silent_at_the_commit_of("project/unheard", Kept::Answer);
    let said = setting.refused("project/unheard").await;
    assert!(said.contains(NOT_KNOWN), "{said}");
    assert!(setting.verifies().await);
    let said = setting.refused("refused/later").await;
    assert!(!said.contains(NOT_KNOWN), "{said}");
    assert_eq!(setting.status("/__heartbeat__").await, 503);
    setting.proxy.go_on();
    setting.recovers().await;
    assert!(setting.has("project/unheard").await, "it was committed, and the server has taken it in by itself");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn of_a_commit_that_never_arrived_nobody_knows_either() {
    let setting = setting().await;
    setting.proxy.fall_silent_at_the_commit_of("project/lost", Kept::Commit);
    let said = setting.refused("project/lost").await;
    assert!(said.contains(NOT_KNOWN), "{said}");
    // Its transaction holds the lock of the revision until the database gives it up, or the commit arrives after all.
    setting.proxy.go_on();
    setting.recovers().await;
    setting.has("project/lost").await;
}
