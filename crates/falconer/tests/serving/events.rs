//! `falconer events` against the real server: what it prints, and that it goes on where it was when the server comes back.

use std::process::{Child, Stdio};

use crate::support::patience::{Lines, end_of, output_of};
use crate::support::ports::HeldPort;
use crate::support::{Init, Server, falconer, init};
use falconer_wire::RoleRequest;
use serde_json::Value;

/// A running `falconer events`.
struct Follower {
    child: Child,
    out: Lines,
    err: Lines,
}

impl Follower {
    fn start(root_url: &str, who: &Init, arguments: &[&str]) -> Follower {
        let mut command = falconer();
        command.arg("events").args(arguments).env("TASKCLUSTER_ROOT_URL", root_url);
        command.env("TASKCLUSTER_CLIENT_ID", &who.client_id).env("TASKCLUSTER_ACCESS_TOKEN", &who.access_token);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = Lines::of(child.stdout.take().unwrap(), "falconer events");
        let err = Lines::of(child.stderr.take().unwrap(), "the errors of falconer events");
        Follower { child, out, err }
    }

    fn line(&self) -> String {
        let line = self.out.next().expect("nothing was printed");
        // The epoch is random.
        match line.split_once('-') {
            Some((epoch, rest)) if epoch.len() == 16 => rest.to_owned(),
            _ => line,
        }
    }

    /// Waits for what stderr says.
    fn said(&self, wanted: &str) {
        self.err.with(wanted);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn role(server: &Server, init: &Init, id: &str) {
    let request = RoleRequest { scopes: Vec::new(), description: String::new() };
    server.client(init).create_role(id, &request).await.unwrap();
}

#[tokio::test]
async fn changes_are_printed_and_a_restart_loses_none() {
    let folder = tempfile::tempdir().unwrap();
    let root = init(folder.path());
    let port = HeldPort::new();
    let address = port.address().to_string();
    let server = Server::start_on(folder.path(), &address);
    let (plain, json) = (Follower::start(&server.root_url, &root, &[]), Follower::start(&server.root_url, &root, &["--json"]));
    plain.said("following http://");
    let ready: Value = serde_json::from_str(&json.line()).unwrap();
    assert_eq!(ready["event"], "ready");
    let (epoch, at) = ready["id"].as_str().unwrap().split_once('-').unwrap();
    let at: i64 = at.parse().unwrap();
    role(&server, &root, "team:one").await;
    assert_eq!(plain.line(), format!("{}  role-created  team:one", at + 1));
    let event: Value = serde_json::from_str(&json.line()).unwrap();
    assert_eq!((event["id"].as_str(), &event["data"]["roleId"]), (Some(format!("{epoch}-{}", at + 1).as_str()), &Value::from("team:one")));
    // The shutdown does not wait for those who follow; what happens while they are away is told afterwards, once.
    assert_eq!(server.end(), Some(0));
    plain.said("trying again in");
    let between = Server::start(folder.path());
    role(&between, &root, "team:two").await;
    assert_eq!(between.end(), Some(0));
    let restarted = Server::start_on(folder.path(), &address);
    role(&restarted, &root, "team:three").await;
    assert_eq!(plain.line(), format!("{}  role-created  team:two", at + 2));
    assert_eq!(plain.line(), format!("{}  role-created  team:three", at + 3));
    plain.said("following again");
    // Whoever begins in the past hears all of it; an id of the far future is told to list again.
    let past = Follower::start(&restarted.root_url, &root, &["--since", &at.to_string()]);
    for (revision, id) in [(1, "one"), (2, "two"), (3, "three")] {
        assert_eq!(past.line(), format!("{}  role-created  team:{id}", at + revision));
    }
    assert_eq!(Follower::start(&restarted.root_url, &root, &["--since", "999999"]).line(), format!("{}  reset", at + 3));
}

#[tokio::test]
async fn refusals_end_it_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let root = init(folder.path());
    let server = Server::start(folder.path());
    let nobody = output_of(falconer().args(["events", "--root-url", &server.root_url]));
    assert_eq!(nobody.status.code(), Some(1));
    let said = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert!(said.contains("auth:events") && said.contains("falconer signin"), "{said}");
    let wrong = output_of(falconer().args(["events", "--since", "yesterday"]));
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("write a revision such as 17"));
    // Credentials that end while it follows.
    let client = server.client(&root);
    let request = falconer_wire::ClientRequest {
        expires: "2100-01-01T00:00:00Z".to_owned(),
        description: String::new(),
        scopes: Some(vec!["auth:events".to_owned()]),
        delete_on_expiration: false,
    };
    let created = client.create_client("follower", &request).await.unwrap();
    let who = Init { client_id: "follower".to_owned(), access_token: created.access_token, setup_url: String::new() };
    let mut follower = Follower::start(&server.root_url, &who, &[]);
    follower.said("following http://");
    client.disable_client("follower").await.unwrap();
    assert!(follower.line().contains("end  Client with clientId 'follower' is disabled"));
    follower.said("Client with clientId 'follower' is disabled");
    assert_eq!(end_of(&mut follower.child, "falconer events").code(), Some(1));
}
