//! Who may call what: every method of both APIs by every kind of caller, as a table that can be read (`verdicts.md`, beside this file).
//!
//! The table is made by calling; the test fails where it has changed, and where a method has no row here. `UPDATE_VERDICTS=1 cargo test -p
//! falconer-web --test verdicts` writes it anew: read the difference as you would read a change of who may do what.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::duplicate_mod, reason = "both worlds have the same clock and randomness")]

mod site;
mod snapshot;
mod support;
#[path = "support/verdict_rows.rs"]
mod verdict_rows;

use std::fmt::Write as _;

use falconer_auth::{AccessToken, Authentication, ClientInput, DAY_MS, RoleInput};
use falconer_credentials::temporary;
use falconer_login::NewAccount;
use falconer_wire::Method;
use http::header::COOKIE;
use serde_json::json;
use support::{Call, Credentials, Node, api, call, client, node, root};

/// How a method is called, and which scopes that takes.
fn row(method: &Method) -> Option<(Call, &'static [&'static str])> {
    let expires = "2030-01-01T00:00:00Z";
    let client_body = json!({ "expires": expires, "description": "d", "scopes": ["x:1"] });
    let role_body = json!({ "description": "d", "scopes": ["x:1"] });
    let hawk = json!({ "method": "get", "resource": "/", "host": "h.example", "port": 443 });
    let github = json!({ "permissions": { "contents": "read" }, "repositories": ["Rep"] });
    Some(match method.name {
        "ping" | "lbheartbeat" | "version" | "heartbeat" => (api("GET", method.route), &[]),
        "listClients" => (api("GET", "/clients/"), &["auth:list-clients"]),
        "client" => (api("GET", "/clients/there"), &["auth:get-client:there"]),
        "createClient" => (api("PUT", "/clients/new").json(client_body), &["auth:create-client:new", "x:1"]),
        "updateClient" => (api("POST", "/clients/there").json(client_body), &["auth:update-client:there", "x:1"]),
        "resetAccessToken" => (api("POST", "/clients/there/reset"), &["auth:reset-access-token:there"]),
        "enableClient" => (api("POST", "/clients/there/enable"), &["auth:enable-client:there"]),
        "disableClient" => (api("POST", "/clients/there/disable"), &["auth:disable-client:there"]),
        "deleteClient" => (api("DELETE", "/clients/there"), &["auth:delete-client:there"]),
        "getEntityHistory" => (api("GET", "/audit/client/there"), &["auth:audit-history:client"]),
        "listAuditHistory" => (api("GET", "/clients/there/audit"), &["auth:client-audit-history:there"]),
        "listRoles" => (api("GET", "/roles/"), &["auth:list-roles"]),
        "listRoles2" => (api("GET", "/roles2/"), &["auth:list-roles"]),
        "listRoleIds" => (api("GET", "/roleids/"), &["auth:list-roles"]),
        "role" => (api("GET", "/roles/there"), &["auth:get-role:there"]),
        "createRole" => (api("PUT", "/roles/new").json(role_body), &["auth:create-role:new", "x:1"]),
        "updateRole" => (api("POST", "/roles/there").json(role_body), &["auth:update-role:there", "x:1"]),
        "deleteRole" => (api("DELETE", "/roles/there"), &["auth:delete-role:there"]),
        "expandScopes" => (api("POST", "/scopes/expand").json(json!({ "scopes": ["a"] })), &["auth:expand-scopes"]),
        "currentScopes" => (api("GET", "/scopes/current"), &["auth:current-scopes"]),
        "awsS3Credentials" => (api("GET", "/aws/s3/read-only/bkt/p/q"), &["auth:aws-s3:read-only:bkt/p/q"]),
        "azureAccounts" => (api("GET", "/azure/accounts"), &["auth:azure-table:list-accounts"]),
        "azureTables" => (api("GET", "/azure/acct/tables"), &["auth:azure-table:list-tables:acct"]),
        "azureTableSAS" => (api("GET", "/azure/acct/table/Tab/read-only"), &["auth:azure-table:read-only:acct/Tab"]),
        "azureContainers" => (api("GET", "/azure/acct/containers"), &["auth:azure-container:list-containers:acct"]),
        "azureContainerSAS" => (api("GET", "/azure/acct/containers/cont/read-write"), &["auth:azure-container:read-write:acct/cont"]),
        "sentryDSN" => (api("GET", "/sentry/proj/dsn"), &["auth:sentry:proj"]),
        "websocktunnelToken" => (api("GET", "/websocktunnel/aud/c"), &["auth:websocktunnel-token:aud/c"]),
        "gcpCredentials" => (api("GET", "/gcp/credentials/p/sa"), &["auth:gcp:access-token:p/sa"]),
        "githubRepoToken" => {
            (api("POST", "/github/app/Own/repo-token").json(github), &["auth:github-repo-token:app/own/rep:contents:read"])
        }
        "authenticateHawk" => (api("POST", "/authenticate-hawk").json(hawk), &[]),
        "testAuthenticate" => (api("POST", "/test-authenticate").json(json!({ "clientScopes": ["t"], "requiredScopes": ["t"] })), TESTERS),
        "testAuthenticateGet" => (api("GET", "/test-authenticate-get/"), TESTERS),
        _ => return ours(method),
    })
}

/// The same for Falconer's own API.
fn ours(method: &Method) -> Option<(Call, &'static [&'static str])> {
    let here = |verb, route: &str| call(verb, &format!("/api/falconer/v1{route}"));
    let expires = "2030-01-01T00:00:00Z";
    let put = json!({ "accessToken": "t".repeat(44), "expires": expires, "description": "d", "scopes": ["x:1"] });
    let batch = json!({
        "roles": [{ "roleId": "new", "scopes": ["x:1"], "description": "d" }],
        "clients": [{ "clientId": "there", "scopes": ["x:1"], "expires": expires, "description": "d" }],
    });
    Some(match method.name {
        "revision" => (here("GET", "/revision"), &[]),
        "events" => (here("GET", "/events"), &["auth:events"]),
        "explain" => (here("GET", "/explain/AbCdEfGhIjKlMnOpQrStUv"), &["auth:explain:AbCdEfGhIjKlMnOpQrStUv"]),
        "endGrant" => (here("POST", "/end-grant"), &["auth:current-scopes"]),
        "check" => (here("POST", "/check").json(question()), &[]),
        "deriveGrant" => (here("POST", "/derived-grants").json(json!({ "scopes": ["auth:current-scopes"] })), &["auth:current-scopes"]),
        "requestGrant" => {
            (here("POST", "/grant-requests").json(json!({ "scopes": ["x:1"], "reason": "More of it" })), &["auth:current-scopes"])
        }
        "collectGrant" => (here("POST", "/grant-requests/collect").json(json!({ "code": "unknown" })), &["auth:current-scopes"]),
        "checks" => (here("POST", "/checks").json(json!({ "checks": [question()] })), &[]),
        "listClientRecords" => (here("GET", "/clients/"), &["auth:list-clients"]),
        "clientRecord" => (here("GET", "/clients/there"), &["auth:get-client:there"]),
        "revokeCertificates" => (here("POST", "/clients/there/revoke-certificates").json(json!({})), &["auth:revoke-certificates:there"]),
        "resetAccessTokenWithOverlap" => {
            (here("POST", "/clients/there/reset-access-token").json(json!({ "overlapSeconds": 60 })), &["auth:reset-access-token:there"])
        }
        "endOldAccessToken" => (here("POST", "/clients/there/end-old-access-token"), &["auth:reset-access-token:there"]),
        "putClient" => (here("PUT", "/clients/new").json(put), &["auth:create-client:new", "auth:set-access-token:new", "x:1"]),
        "importBatch" => (here("POST", "/import").json(batch), &["auth:create-role:new", "auth:update-client:there", "x:1"]),
        "mapPerson" => (here("POST", "/providers/company/map").json(json!({ "claims": {} })), &["auth:map-person:company"]),
        _ => return people(method),
    })
}

fn question() -> serde_json::Value {
    json!({ "request": { "method": "get", "resource": "/", "host": "h.example", "port": 443 }, "required": "x:1" })
}

/// The same for people.
fn people(method: &Method) -> Option<(Call, &'static [&'static str])> {
    let here = |verb, route: &str| call(verb, &format!("/api/falconer/v1/people{route}"));
    let new = json!({ "displayName": "New", "scopes": ["x:1"] });
    Some(match method.name {
        "listPeople" => (here("GET", ""), &["auth:list-people"]),
        "person" => (here("GET", "/local%2Fthere"), &["auth:get-person:local/there"]),
        "invitePerson" => (here("PUT", "/local%2Fnew").json(new), &["auth:create-person:local/new", "x:1"]),
        "updatePerson" => (here("POST", "/local%2Fthere").json(json!({ "scopes": ["x:1"] })), &["auth:update-person:local/there", "x:1"]),
        "disablePerson" => (here("POST", "/local%2Fthere/disable"), &["auth:disable-person:local/there"]),
        "enablePerson" => (here("POST", "/local%2Fthere/enable"), &["auth:enable-person:local/there"]),
        "unlockPerson" => (here("POST", "/local%2Fthere/unlock"), &["auth:unlock-person:local/there"]),
        "deletePerson" => (here("DELETE", "/local%2Fthere"), &["auth:delete-person:local/there"]),
        "signPersonOut" => (here("POST", "/local%2Fthere/sign-out"), &["auth:sign-out-person:local/there"]),
        "revokeGrantOfPerson" => {
            let call = here("DELETE", "/local%2Fthere/grants/AbCdEfGhIjKlMnOpQrStUv");
            (call, &["auth:revoke-grants-of-person:local/there"])
        }
        "makeResetLink" => (here("POST", "/local%2Fthere/reset-link"), &["auth:reset-person:local/there", "x:own"]),
        "linkPerson" => (here("POST", "/local%2Fthere/link").json(json!({ "with": "local/ann" })), &["*"]),
        "unlinkPerson" => (here("POST", "/local%2Fthere/unlink"), &["auth:unlink-person:local/there"]),
        "namePerson" => (here("POST", "/local%2Fthere/name"), &["auth:name-person:local/there"]),
        "refreshPerson" => (here("POST", "/local%2Fthere/refresh"), &["auth:refresh-person:local/there"]),
        "personHistory" => (here("GET", "/local%2Fthere/history"), &["auth:audit-history:person"]),
        _ => return verdict_rows::applications(method),
    })
}

/// What these make lasts longer than any grant: credentials of a grant don't do it.
const NOT_WITH_A_GRANT: [&str; 9] = [
    "invitePerson",
    "updatePerson",
    "makeResetLink",
    "linkPerson",
    "putApplication",
    "resetApplicationSecret",
    "createInitialToken",
    "putScopeRegistry",
    "deleteScopeRegistry",
];

/// These take `*`: whoever has everything under `auth:` is kept out.
const ONLY_WITH_EVERYTHING: [&str; 1] = ["linkPerson"];

/// These two know one client only, `tester`, and judge it by what the request says.
const TESTERS: &[&str] = &[];

/// A kind of caller: the head of its column, and what that is.
struct Kind {
    head: &'static str,
    about: &'static str,
}

const KINDS: [Kind; 13] = [
    Kind { head: "nobody", about: "no credentials at all" },
    Kind { head: "without", about: "a client with other scopes" },
    Kind { head: "with", about: "a client with exactly the scopes that are needed" },
    Kind { head: "star", about: "a client with `auth:*` and `x:*`" },
    Kind { head: "narrower", about: "a client with the needed scopes as they would be for something below: each with `/below` at its end" },
    Kind { head: "restricted", about: "a client with `*` that restricted this request to other scopes (`authorizedScopes`)" },
    Kind { head: "temporary", about: "temporary credentials of the needed scopes, made by a client with `*`" },
    Kind { head: "temporary, over", about: "the same, an hour after their end" },
    Kind {
        head: "granted",
        about: "credentials that a person with `auth:*` and `x:*` granted for the needed scopes, for `auth:*` where `*` is needed, which nobody can grant",
    },
    Kind { head: "revoked", about: "the same after the grant was revoked" },
    Kind { head: "expired", about: "a client with `*` after its end" },
    Kind { head: "disabled", about: "a client with `*` that is switched off" },
    Kind { head: "wrong key", about: "somebody who signs with another key than the client's" },
];

async fn furnished() -> Node {
    let node = node().await;
    node.new_client("there", &[]).await;
    node.new_role("there", &["y"]).await;
    node.new_person().await;
    let there = NewAccount {
        name: "there".to_owned(),
        display_name: "There".to_owned(),
        scopes: vec!["x:own".to_owned()],
        ..NewAccount::default()
    };
    node.login.create_account("test", &there, None).await.unwrap();
    let there = json!({ "name": "There", "redirectUris": ["https://there.example.com/"], "scopes": ["x:there"], "kind": "confidential" });
    let create_application = call("PUT", "/api/falconer/v1/applications/there").by(root()).json(there);
    assert_eq!(node.send(create_application).await.status, 200);
    node
}

/// Calls as this kind of caller, on a node of its own.
async fn verdict(kind: &Kind, call: Call, needed: &[&str]) -> u16 {
    let node = furnished().await;
    let below: Vec<String> = needed.iter().map(|scope| format!("{scope}/below")).collect();
    let below: Vec<&str> = below.iter().map(String::as_str).collect();
    let hour = 3_600_000;
    let call = match kind.head {
        "nobody" => call,
        "without" => call.by(node.new_client("who", &["unrelated", "auth:nothing:*"]).await),
        "with" => call.by(node.new_client("who", needed).await),
        "star" => call.by(node.new_client("who", &["auth:*", "x:*"]).await),
        "narrower" => call.by(node.new_client("who", &below).await),
        "restricted" => call.by(node.new_client("who", &["*"]).await.restricted_to(&["unrelated"])),
        "temporary" | "temporary, over" => {
            let issuer = node.new_client("issuer", &["*"]).await;
            let scopes: Vec<String> = needed.iter().map(|s| (*s).to_owned()).collect();
            let (token, now_ms) = (AccessToken::new(issuer.token.clone()), node.now_ms());
            let seed = "0123456789a".repeat(4);
            let issued = temporary::create(&issuer.id, &token, Some("some/name"), &scopes, now_ms, now_ms + hour, &seed).unwrap();
            if kind.head != "temporary" {
                node.advance(2 * hour);
            }
            call.by(Credentials { certificate: Some(issued.certificate), ..client(&issued.client_id, issued.access_token.expose()) })
        }
        "granted" | "revoked" => {
            // No person has `*`, so nobody grants it.
            let granted: &[&str] = if needed.contains(&"*") { &["auth:*"] } else { needed };
            let (id, granted) = node.new_grant(granted).await;
            if kind.head == "revoked" {
                node.auth.revoke_grants(&[support::PERSON], support::PERSON, &[id], "").await.unwrap();
            }
            call.by(granted)
        }
        "expired" => {
            let who = node.new_client("who", &["*"]).await;
            let past = json!({ "expires": "2001-01-01T00:00:00Z", "description": "" });
            assert_eq!(node.send(api("POST", "/clients/who").by(root()).json(past)).await.status, 200);
            call.by(who)
        }
        "disabled" => {
            let who = node.new_client("who", &["*"]).await;
            assert_eq!(node.send(api("POST", "/clients/who/disable").by(root())).await.status, 200);
            call.by(who)
        }
        "wrong key" => call.by(client(&node.new_client("who", &["*"]).await.id, "not-the-token")),
        other => panic!("nobody knows how to call as {other}"),
    };
    // The head alone: an answer may go on for as long as somebody listens.
    node.api.answer(call.request(node.now_ms())).await.status().as_u16()
}

/// The pages, a person who may do everything under `auth:` and `x:` there, and what the rows are about.
async fn site_with_somebody_powerful() -> site::Site {
    let site = site::site().await;
    let mut ann = site.auth.directory().identity("local/ann").unwrap().record.clone();
    ann.scopes = vec!["auth:*".to_owned(), "x:*".to_owned()];
    site.auth.put_identity("test", &ann).await.unwrap();
    let who = Authentication::person("local/ann");
    let input = ClientInput {
        expires_us: (site::START_MS + DAY_MS) * 1000,
        description: String::new(),
        scopes: Some(Vec::new()),
        delete_on_expiration: false,
    };
    site.auth.create_client(&who, "there", &input).await.unwrap();
    site.auth.create_role(&who, "there", &RoleInput { scopes: Vec::new(), description: String::new() }).await.unwrap();
    site
}

/// Calls with the session of that person.
async fn with_session(site: &site::Site, cookies: &[(String, String)], call: &Call) -> u16 {
    let mut request = call.request(site::START_MS);
    let cookies: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    request.headers_mut().insert(COOKIE, cookies.join("; ").parse().unwrap());
    request.headers_mut().insert("sec-fetch-site", "same-origin".parse().unwrap());
    request.headers_mut().insert("origin", site.origin.parse().unwrap());
    let response = tower::ServiceExt::oneshot(site.router.clone(), request).await.unwrap();
    response.status().as_u16()
}

/// `yes` for whoever gets past the authorization, with the status where it is not success.
fn word(status: u16) -> String {
    match status {
        200..=299 => "yes".to_owned(),
        401 | 403 => format!("no {status}"),
        other => format!("yes, {other}"),
    }
}

async fn table() -> String {
    let site = site_with_somebody_powerful().await;
    let browser = site.ann().await;
    assert!(browser.is_signed_in());
    let mut text = String::from(HEAD);
    for kind in &KINDS {
        writeln!(text, "- **{}**: {}", kind.head, kind.about).unwrap();
    }
    writeln!(text, "- **cookie**: no credentials, but the cookie of somebody who is signed in on the pages and may do everything there\n")
        .unwrap();
    write!(text, "| method | call | needs |").unwrap();
    KINDS.iter().for_each(|kind| write!(text, " {} |", kind.head).unwrap());
    writeln!(text, " cookie |\n|{}", " --- |".repeat(KINDS.len() + 4)).unwrap();
    for method in Method::all() {
        let Some((call, needed)) = row(method) else {
            panic!("{} has no row: say in this file how it is called and what that takes, then write the table anew", method.name)
        };
        let shown = |scopes: &[&str]| match (scopes, method.scopes) {
            ([], None) => "-".to_owned(),
            ([], Some(template)) => panic!("{} needs {template}, and its row says nothing of it", method.name),
            (scopes, _) => scopes.iter().map(|scope| format!("`{scope}`")).collect::<Vec<_>>().join(" and "),
        };
        let needs = if needed.is_empty() && method.name.starts_with("testAuth") { "`tester`".to_owned() } else { shown(needed) };
        write!(text, "| {} | `{} {}` | {needs} |", method.name, method.verb.as_str(), call.path).unwrap();
        for kind in &KINDS {
            write!(text, " {} |", word(verdict(kind, call.clone(), needed).await)).unwrap();
        }
        writeln!(text, " {} |", word(with_session(&site, &browser.cookies, &call).await)).unwrap();
    }
    text
}

const HEAD: &str = "\
# Who may call what

Each line is one call, each column one kind of caller, each cell what really happened: `yes`, or `no` with the HTTP status (401: the credentials
do not hold, 403: the scopes do not suffice). `yes, 404` and the like: the caller is let in, and what was asked for is not there.
Written by the test `verdicts`; do not edit.

";

#[tokio::test]
async fn the_table_of_verdicts_is_as_it_was_read() {
    snapshot::is_as_it_was_read("verdicts.md", &table().await);
}

/// What must hold of the table whatever methods there are.
#[tokio::test]
async fn no_cell_lets_in_who_must_stay_out() {
    let known = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verdicts.md")).unwrap();
    let rows: Vec<Vec<&str>> = known
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| method") && !line.starts_with("| ---"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), Method::all().count());
    for row in rows {
        let cell = |head: &str| match head {
            "cookie" => row[row.len() - 1],
            head => row[3 + KINDS.iter().position(|kind| kind.head == head).unwrap()],
        };
        assert_eq!(cell("cookie"), cell("nobody"), "{}: a cookie counts for nothing", row[0]);
        if row[2] == "-" || row[2] == "`tester`" {
            continue;
        }
        for out in ["nobody", "without", "narrower", "restricted", "temporary, over", "revoked", "expired", "disabled", "wrong key"] {
            assert!(cell(out).starts_with("no "), "{} lets in {out}", row[0]);
        }
        for within in ["with", "star", "temporary", "granted"] {
            if within == "granted" && NOT_WITH_A_GRANT.contains(&row[0]) {
                assert_eq!(cell(within), "no 403", "{} lets in what ends sooner", row[0]);
                continue;
            }
            if within == "star" && ONLY_WITH_EVERYTHING.contains(&row[0]) {
                assert_eq!(cell(within), "no 403", "{} lets in who has not everything", row[0]);
                continue;
            }
            assert!(cell(within).starts_with("yes"), "{} keeps out {within}", row[0]);
        }
    }
}
