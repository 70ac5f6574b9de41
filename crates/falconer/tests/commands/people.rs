//! `falconer person`, beside a running server and over its API.

use crate::support::browser::{Browser, fields, put};
use crate::support::user::{Shell, command, eventually};
use crate::support::world::{World, world, world_with};
use falconer_client::Credentials;
use serde_json::json;

const PASSWORD: &str = "correct horse battery";

/// Opens a link as somebody does who got it, and sets the password.
fn open_link(world: &World, link: &str) {
    let path = link.trim().strip_prefix(&world.server.root_url).unwrap_or_else(|| panic!("{link} is none of {}", world.server.root_url));
    let mut browser = Browser::new(&world.server);
    let page = eventually("the link is known", || Some(browser.get(path)).filter(|page| page.status == 200));
    let mut form = fields(&page.body, "/password-link");
    put(&mut form, "password", PASSWORD);
    put(&mut form, "repeat", PASSWORD);
    let done = browser.post("/password-link", &form);
    assert_eq!((done.status, done.location.as_str()), (303, "/login?done=password-set"), "{}", done.body);
}

#[test]
fn people_are_administered_over_the_api() {
    let world = world();
    let shell = world.as_root();
    let person = |words: &[&str]| shell.run(&[&["person"], words, &["--remote"]].concat());
    let link = person(&["invite", "local/ann", "--display-name", "Ann", "--group", "red"]);
    assert!(link.err.contains("works until"), "{link:?}");
    open_link(&world, &link.ok());
    let mut browser = Browser::new(&world.server);
    assert!(browser.sign_in("ann", PASSWORD));

    let shown = person(&["show", "local/ann", "--json"]).json();
    assert_eq!((&shown["identities"][0]["groups"], shown["sessions"].as_array().unwrap().len()), (&json!(["red"]), 1));
    assert!(person(&["show", "local/ann"]).ok().contains("assume:local-group:red"));
    assert!(person(&["list"]).ok().contains("local/ann"));
    assert_eq!(person(&["list", "--search", "ANN", "--json"]).json()[0]["displayName"], "Ann");
    assert_eq!(person(&["list", "--search", "bob", "--json"]).json(), json!([]));

    assert!(person(&["update", "local/ann", "--no-groups", "--scope", "x:1", "--json"]).json()["revision"].as_i64().unwrap() > 0);
    let shown = person(&["show", "local/ann", "--json"]).json();
    let account = &shown["identities"][0]["account"];
    assert_eq!(
        (&shown["identities"][0]["groups"], &account["scopes"], &account["hasPassword"]),
        (&json!([]), &json!(["x:1"]), &json!(true))
    );
    person(&["update", "local/ann"]).refused(2, "nothing is to be changed");
    person(&["unlock", "local/ann"]).ok();
    person(&["sign-out", "local/ann"]).ok();
    assert!(!browser.is_signed_in());
    open_link(&world, person(&["reset-link", "local/ann", "--json"]).json()["url"].as_str().unwrap());
    person(&["disable", "local/ann"]).ok();
    assert!(!browser.sign_in("ann", PASSWORD));
    person(&["enable", "local/ann"]).ok();
    assert!(browser.sign_in("ann", PASSWORD));

    let back = browser.grant("/?target=http%3A%2F%2F127.0.0.1%3A4000%2F&description=x&scope=x:1", "127.0.0.1");
    let back = url::Url::parse(&back).unwrap();
    let value = |name: &str| back.query_pairs().find(|(found, _)| found == name).unwrap().1.into_owned();
    let granted = Credentials::new(value("clientId"), value("accessToken")).with_certificate(value("certificate")).unwrap();
    let site = Shell::with(&world.server.root_url, &granted);
    site.run(&["current-scopes"]).ok();
    let grant = person(&["show", "local/ann", "--json"]).json()["grants"][0]["id"].as_str().unwrap().to_owned();
    person(&["revoke-grant", "local/ann", &grant]).ok();
    site.run(&["current-scopes"]).refused(1, "has been revoked");
    person(&["revoke-grant", "local/ann", &grant]).refused(1, "no such grant");
    // Ids of before may begin so.
    person(&["revoke-grant", "local/ann", "-5kJlmnopQRSTuvwxyzabc"]).refused(1, "no such grant");
    person(&["show", "local/nobody"]).refused(1, "nobody has the identity");
    person(&["invite", "local/ann"]).refused(1, "in use");
    person(&["invite", "local/carl", "--email", "carl@example.com", "--mail"]).refused(1, "there is no mail server");
    person(&["delete", "local/ann"]).ok();
    assert_eq!(person(&["list", "--json"]).json(), json!([]));
    let history = person(&["history", "local/ann"]).ok();
    for said in
        ["account ann created, by static/falconer/root", "account ann password set, by local/ann", "reset link made", "account ann deleted"]
    {
        assert!(history.contains(said), "{said}: {history}");
    }
    person(&["history", "local/carl"]).refused(1, "nothing is known of local/carl");

    // Root is nobody's own person, and may do everything.
    for name in ["bob", "carl"] {
        person(&["invite", &format!("local/{name}")]).ok();
    }
    person(&["link", "local/carl", "local/bob"]).ok();
    assert!(person(&["list"]).ok().contains("local/bob local/carl"));
    assert!(person(&["name", "local/carl", "--json"]).json()["revision"].as_i64().unwrap() > 0);
    assert_eq!(person(&["show", "local/bob", "--json"]).json()["name"], "local/carl");
    person(&["link", "local/carl", "local/bob"]).refused(1, "linked already");
    person(&["unlink", "local/carl"]).ok();
    person(&["unlink", "local/carl"]).refused(1, "linked with no other");
    person(&["refresh", "local/carl"]).refused(1, "no provider can be asked about it");

    // The server by its address, and credentials that don't suffice.
    let robot = shell.run(&["client", "create", "robot", "--scope", "auth:current-scopes", "--json"]).json();
    let robot = Shell::with("http://127.0.0.1:1", &Credentials::new("robot", robot["accessToken"].as_str().unwrap()));
    robot.run(&["person", "list", &format!("--remote={}", world.server.root_url)]).refused(1, "auth:list-people");
    command(&["person", "list", "--remote", "--data-dir", "x"]).refused(2, "--data-dir");
}

#[test]
fn the_same_beside_the_running_server() {
    let world = world();
    let link = world.person(&["invite", "local/ann", "--group", "red", "--root-url", &world.server.root_url]).ok();
    open_link(&world, &link);
    let mut browser = Browser::new(&world.server);
    assert!(browser.sign_in("ann", PASSWORD));
    assert!(world.person(&["list", "--search", "LOCAL/A"]).ok().contains("local/ann"));
    assert_eq!(world.person(&["list", "--search", "bob", "--json"]).json(), json!([]));
    world.person(&["update", "local/ann", "--group", "blue", "--email", "ann@example.com"]).ok();
    eventually("the page shows the new group", || browser.get("/").body.contains("blue").then_some(()));
    world.person(&["unlock", "local/ann"]).ok();
    world.person(&["sign-out", "local/ann"]).ok();
    eventually("the session is over", || (!browser.is_signed_in()).then_some(()));
    let reset = world.person(&["reset-link", "local/ann", "--root-url", &world.server.root_url, "--json"]).json();
    assert_eq!(reset["identity"], "local/ann");
    open_link(&world, reset["url"].as_str().unwrap());
    world.person(&["invite", "sso/42"]).refused(1, "is no local account");
    world.person(&["reset-link", "local/nobody"]).refused(1, "Nobody has the identity");
    world.person(&["invite", "local/carl", "--email", "carl@example.com", "--mail"]).refused(1, "there is no mail server");
    world.person(&["history", "local/carl"]).refused(1, "nothing is known of local/carl");
    world.person(&["delete", "local/ann"]).ok();
    let history = world.person(&["history", "local/ann", "--json"]).ok();
    let rows: Vec<serde_json::Value> = history.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&rows[0]["entityType"], &rows[0]["by"]), (&json!("account"), &json!("falconer person")), "{history}");
    assert!(rows.iter().any(|row| row["action"] == "password set" && row["by"] == "local/ann"), "{history}");
    eventually("nobody signs in", || (!browser.sign_in("ann", PASSWORD)).then_some(()));
    world.person(&["update", "local/ann", "--group", "red"]).refused(1, "There is no account ann");
}

/// The same claims give the same over the API as they do from the configuration, and what the scopes come to besides.
#[test]
fn what_somebody_would_get_is_told_over_the_api() {
    let config = r#"
[[provider]]
kind = "oidc"
name = "company"
issuer = "http://127.0.0.1:1"
client_id = "falconer"
groups_claim = ["groups"]
groups = ["staff*"]
scopes = ["assume:company-group:{group}"]

[[provider]]
kind = "http_directory"
name = "phonebook"
url = "http://127.0.0.1:1/?email={email}"
profiles_path = "results"
username_path = "username"
vouched_path = "is_vouched"
groups_path = "groups"
require_vouched = true
scopes = ["assume:phonebook-group:{group}"]
"#;
    let world = world_with(config);
    let shell = world.as_root();
    shell.run(&["role", "create", "company-group:staff", "--scope", "notes:read:staff"]).ok();
    let ask = |claims: serde_json::Value| {
        let body = json!({ "claims": claims }).to_string();
        shell.run(&["curl", "-X", "POST", "-d", &body, "/api/falconer/v1/providers/company/map"])
    };
    let found = ask(json!({ "sub": "4711", "name": "Ann", "groups": ["staff", "staff*", "wheel"] })).json();
    assert_eq!((&found["identity"], &found["displayName"]), (&json!("company/4711"), &json!("Ann")));
    assert_eq!((&found["groups"], &found["otherGroups"]), (&json!(["staff", "staff*"]), &json!(["wheel"])));
    assert!(found["scopes"].as_array().unwrap().contains(&json!("assume:company-group:staff")), "{found}");
    assert!(found["expandedScopes"].as_array().unwrap().contains(&json!("notes:read:staff")), "{found}");
    assert_eq!((&found["refused"][0]["value"], &found["refused"][0]["attribute"]), (&json!("staff*"), &json!("group")));
    ask(json!({ "name": "nobody" })).refused(1, "Nobody would be signed in");
    // The same by the command.
    let file = world.data.join("claims.json");
    let map = |shell: &Shell, name: &str, claims: serde_json::Value, more: &[&str]| {
        std::fs::write(&file, claims.to_string()).unwrap();
        shell.run(&[&["provider", "map", name, "--claims", file.to_str().unwrap()], more].concat())
    };
    let claims = json!({ "sub": "4711", "name": "Ann", "groups": ["staff", "staff*", "wheel"] });
    let mapped = map(&shell, "company", claims.clone(), &["--remote", "--json"]).json();
    assert_eq!(
        (&mapped["identity"], &mapped["expandedScopes"], &mapped["onlyAuthorizes"]),
        (&found["identity"], &found["expandedScopes"], &json!(false))
    );
    let at = format!("--root-url={}", world.server.root_url);
    assert!(map(&shell, "company", claims.clone(), &[&at]).ok().contains("notes:read:staff"));
    let vouched = json!({ "results": [{ "username": "ann", "groups": ["staff", "x*"], "is_vouched": true }] });
    let mapped = map(&shell, "phonebook", vouched, &["--remote", "--json"]).json();
    assert_eq!(
        (&mapped["identity"], &mapped["scopes"], &mapped["onlyAuthorizes"]),
        (&json!("phonebook/ann"), &json!(["assume:phonebook-group:staff"]), &json!(true))
    );
    let unknown = json!({ "results": [{ "username": "ann", "groups": ["staff"], "is_vouched": false }] });
    map(&shell, "phonebook", unknown, &["--remote"]).refused(1, "Nothing would be added");
    map(&shell, "nobody", claims.clone(), &["--remote"]).refused(1, "There is no provider nobody");
    map(&shell, "company", claims, &["--remote", "--config", "x"]).refused(2, "--config");
    let robot = shell.run(&["client", "create", "robot", "--scope", "auth:map-person:other", "--json"]).json();
    let robot = Shell::with(&world.server.root_url, &Credentials::new("robot", robot["accessToken"].as_str().unwrap()));
    robot.run(&["curl", "-d", r#"{"claims":{}}"#, "/api/falconer/v1/providers/company/map"]).refused(1, "auth:map-person:company");
}
