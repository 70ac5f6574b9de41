//! What is taken away on one server is refused by all others that answer from that revision or later, whichever way it is taken away.

use falconer_client::{Client, Credentials, Method};
use falconer_wire::AuthenticateHawkRequest;
use serde_json::{Value, json};

use crate::cluster::{Cluster, Hears, Node, Said};
use crate::support::browser::Browser;
use crate::support::patience::{eventually, rounds};
use crate::support::user::Done;

const PASSWORD: &str = "correct horse battery staple";
/// The scope that its role loses.
const SCOPE: &str = "notes:read:taken";

/// A way to lose what one had.
#[derive(Clone, Copy, Debug)]
enum Way {
    ClientDisabled,
    ClientDeleted,
    TokenReset,
    RoleNarrowed,
    GrantRevoked,
    PersonDisabled,
}

impl Way {
    const ALL: [Way; 6] =
        [Way::ClientDisabled, Way::ClientDeleted, Way::TokenReset, Way::RoleNarrowed, Way::GrantRevoked, Way::PersonDisabled];

    /// Credentials that count, and the call that ends that.
    async fn give(self, node: &Node, number: u32) -> (Credentials, (Method, String, Option<Value>)) {
        let name = format!("project/taken-{number}");
        let path = format!("/api/auth/v1/clients/{}", name.replace('/', "%2F"));
        match self {
            Way::ClientDisabled => (node.make_client(&name, &[SCOPE]).await, (Method::POST, format!("{path}/disable"), None)),
            Way::ClientDeleted => (node.make_client(&name, &[SCOPE]).await, (Method::DELETE, path, None)),
            Way::TokenReset => (node.make_client(&name, &[SCOPE]).await, (Method::POST, format!("{path}/reset"), None)),
            Way::RoleNarrowed => {
                let role = format!("/api/auth/v1/roles/taken-{number}");
                let scopes = |scopes: &[&str]| Some(json!({ "description": "of a test", "scopes": scopes }));
                node.change(&Method::PUT, &role, scopes(&[SCOPE, "notes:kept"])).await;
                let robot = node.make_client(&name, &[&format!("assume:taken-{number}")]).await;
                (robot, (Method::POST, role, scopes(&["notes:kept"])))
            }
            Way::GrantRevoked | Way::PersonDisabled => {
                let account = format!("ann-{number}");
                let identity = format!("local%2F{account}");
                let (credentials, grant) = tokio::task::block_in_place(|| granted(node, &account));
                let people = format!("/api/falconer/v1/people/{identity}");
                let path = match self {
                    Way::GrantRevoked => (Method::DELETE, format!("{people}/grants/{grant}"), None),
                    _ => (Method::POST, format!("{people}/disable"), None),
                };
                (credentials, path)
            }
        }
    }
}

/// What somebody has granted who has this account; the credentials, and the id of the grant.
fn granted(node: &Node, account: &str) -> (Credentials, String) {
    let mut browser = Browser::new(&node.server);
    eventually("the account is there", || browser.sign_in(account, PASSWORD).then_some(()));
    let target = "https://notes.example.com/";
    let to = browser.grant(&format!("/?target={target}&description=A%20test.&scope={SCOPE}"), "notes.example.com");
    let url = url::Url::parse(&to).unwrap();
    let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let id = value("clientId").unwrap();
    let grant = id.rsplit('/').next().unwrap().to_owned();
    let credentials = Credentials::new(&id, value("accessToken").unwrap());
    (credentials.with_certificate(value("certificate").unwrap()).unwrap(), grant)
}

/// Each server takes something away, and the others are asked from that revision on.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn what_is_taken_away_is_refused_from_its_revision_on() {
    let mut cluster = Cluster::make().await;
    let nodes = [cluster.node(Hears::AtOnce).await, cluster.node(Hears::NotAtAll).await, cluster.node(Hears::Pooled).await];
    for round in 0..rounds("FALCONER_TAKEN_ROUNDS", 1) {
        for (way, index) in Way::ALL.into_iter().zip(0..) {
            let number = round * 10 + index;
            if matches!(way, Way::GrantRevoked | Way::PersonDisabled) {
                let words = ["account", "create", &format!("ann-{number}"), "--password-stdin", "--scope", SCOPE];
                let mut create = cluster.place.command(&words);
                create.env("FALCONER_KEY_FILE", cluster.place.data().join("falconer.keys"));
                let done = tokio::task::block_in_place(|| with_input(create, PASSWORD));
                assert_eq!(done.code, 0, "{done:?}");
            }
            let made_on = &nodes[number as usize % 3];
            let (robot, (method, path, body)) = way.give(made_on, number).await;
            for node in &nodes {
                while verdict_of(node, &robot, None).await != Said::Right {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
            }
            let revision = nodes[(number as usize + 1) % 3].change(&method, &path, body).await;
            for node in &nodes {
                // A machine that does a lot besides may not get there within the second that is waited for.
                let mut said = verdict_of(node, &robot, Some(revision)).await;
                while matches!(said, Said::NotNow(_)) {
                    said = verdict_of(node, &robot, Some(revision)).await;
                }
                assert!(matches!(said, Said::Wrong(_)), "{way:?}, round {round}: {said:?}");
                // It answers from that revision on, whether somebody asks for it or not.
                assert!(matches!(verdict_of(node, &robot, None).await, Said::Wrong(_)), "{way:?}, round {round}");
            }
        }
    }
    for node in nodes {
        assert_eq!(node.server.end(), Some(0));
    }
}

fn with_input(mut command: std::process::Command, input: &str) -> Done {
    use std::io::Write as _;
    use std::process::Stdio;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    crate::support::patience::output_of_child(child, "account create").into()
}

/// What a service is told about a request of these credentials that needs the scope.
async fn verdict_of(node: &Node, credentials: &Credentials, at_least: Option<i64>) -> Said {
    let url = "https://notes.example.com/note/1";
    let client = Client::new("https://notes.example.com").unwrap().with_credentials(credentials.clone()).with_authorized_scopes([SCOPE]);
    let request = AuthenticateHawkRequest {
        method: "get".to_owned(),
        resource: "/note/1".to_owned(),
        host: "notes.example.com".to_owned(),
        port: 443,
        authorization: client.authorization(&Method::GET, url, None).unwrap(),
        source_ip: None,
    };
    let mut post = crate::support::http().post(format!("{}/api/auth/v1/authenticate-hawk", node.server.root_url)).json(&request);
    if let Some(revision) = at_least {
        post = post.header("falconer-at-least", revision.to_string());
    }
    let answer = post.send().await.unwrap();
    let (status, body) = (answer.status().as_u16(), answer.json::<Value>().await.unwrap());
    match (status, body["status"].as_str()) {
        (200, Some("auth-success")) => Said::Right,
        (200, Some("auth-failed")) => Said::Wrong(body["message"].to_string()),
        (503, _) => Said::NotNow(body.to_string()),
        _ => panic!("{status} {body}"),
    }
}
