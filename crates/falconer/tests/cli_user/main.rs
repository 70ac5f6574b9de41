//! A user's commands against a running server, with permanent and temporary credentials and with none; and `account` beside that server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod application;
mod people;
mod scope_registry;
#[path = "../support/mod.rs"]
mod support;
mod wrong;

use falconer_client::Credentials;
use falconer_credentials::temporary;
use support::browser::Browser;
use support::ports::HeldPort;
use support::user::{Shell, command, command_with_input, eventually, local};
use support::world::{world, world_with};

#[test]
fn clients_live_and_end() {
    let world = world();
    let shell = world.as_root();
    let created = shell.run(&["client", "create", "project/robot", "--scope", "notes:read:*", "--description", "Reads", "--json"]).json();
    assert_eq!((&created["clientId"], &created["scopes"]), (&"project/robot".into(), &serde_json::json!(["notes:read:*"])));
    let robot =
        |token: &serde_json::Value| Shell::with(&world.server.root_url, &Credentials::new("project/robot", token.as_str().unwrap()));
    let old = robot(&created["accessToken"]);
    // Everything that anybody may do includes auth:current-scopes nowhere: the refusal names the missing scope.
    old.run(&["current-scopes"]).refused(1, "auth:current-scopes");

    let changed =
        shell.run(&["client", "update", "project/robot", "--scope", "auth:current-scopes", "--delete-on-expiration", "--json"]).json();
    assert_eq!((&changed["description"], &changed["deleteOnExpiration"]), (&"Reads".into(), &true.into()));
    assert_eq!(changed["expires"], created["expires"], "what is not given stays");
    assert!(old.run(&["current-scopes"]).ok().contains("auth:current-scopes\n"));

    let reset = shell.run(&["client", "reset", "project/robot", "--json"]).json();
    old.run(&["current-scopes"]).refused(1, "Bad mac");
    let new = robot(&reset["accessToken"]);
    new.run(&["current-scopes"]).ok();
    assert!(shell.run(&["client", "disable", "project/robot"]).ok().contains("disabled"));
    new.run(&["current-scopes"]).refused(1, "isabled");
    shell.run(&["client", "enable", "project/robot"]).ok();
    new.run(&["current-scopes"]).ok();

    let bare = shell.run(&["client", "update", "project/robot", "--no-scopes", "--delete-on-expiration", "false", "--json"]).json();
    assert_eq!((&bare["scopes"], &bare["deleteOnExpiration"]), (&serde_json::json!([]), &false.into()));
    let listed = shell.run(&["client", "list", "--prefix", "project/", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let table = shell.run(&["client", "list"]).ok();
    assert!(table.starts_with("CLIENT ") && table.contains("project/robot") && table.contains("static/falconer/root"), "{table}");
    assert!(shell.run(&["client", "show", "project/robot"]).ok().contains("Reads"));
    shell.run(&["client", "delete", "project/robot"]).ok();
    shell.run(&["client", "show", "project/robot"]).refused(1, "there is no client project/robot");
    shell.run(&["client", "update", "project/robot", "--no-scopes"]).refused(1, "there is no client project/robot");
    // It wrote what was there, and a row of the history.
    shell.run(&["client", "update", "project/robot"]).refused(2, "nothing is to be changed");
    shell.run(&["role", "update", "team:red"]).refused(2, "nothing is to be changed");
    shell.run(&["client", "create", "x", "--expires", "whenever"]).refused(2, "90 days");
    shell.run(&["client", "update", "x", "--no-scopes", "--scope", "a"]).refused(2, "cannot be used with");
}

#[test]
fn temporary_credentials_are_revoked_by_their_start_and_by_their_seed() {
    let world = world();
    let shell = world.as_root();
    let created = shell.run(&["client", "create", "project/maker", "--scope", "auth:current-scopes", "--json"]).json();
    let maker = Credentials::new("project/maker", created["accessToken"].as_str().unwrap());
    let seed = |letter: &str| letter.repeat(44);
    let issue = |letter: &str, ago_ms: i64| {
        let start_ms = falconer_client::system::now_ms() - ago_ms;
        let scopes = ["auth:current-scopes".to_owned()];
        let token = falconer_credentials::AccessToken::new(created["accessToken"].as_str().unwrap().to_owned());
        let issued = temporary::create("project/maker", &token, None, &scopes, start_ms, start_ms + 3_600_000, &seed(letter)).unwrap();
        let credentials = Credentials::new(&issued.client_id, issued.access_token.expose()).with_certificate(&issued.certificate).unwrap();
        Shell::with(&world.server.root_url, &credentials)
    };
    let (earlier, one, other) = (issue("a", 60_000), issue("b", 1), issue("c", 1));
    for shell in [&earlier, &one, &other] {
        shell.run(&["current-scopes"]).ok();
    }
    assert!(
        shell.run(&["client", "revoke-certificates", "project/maker", "--before", "-30 seconds"]).ok().contains("count if they start at")
    );
    earlier.run(&["current-scopes"]).refused(1, "have been revoked");
    let shown = shell.run(&["client", "revoke-certificates", "project/maker", "--seed", &seed("b"), "--json"]).json();
    assert_eq!(shown["revokedSeeds"][0]["seed"], seed("b").as_str());
    one.run(&["current-scopes"]).refused(1, "Make new ones");
    other.run(&["current-scopes"]).ok();
    assert!(shell.run(&["client", "show", "project/maker"]).ok().contains(&seed("b")));
    shell.run(&["client", "revoke-certificates", "project/maker"]).ok();
    other.run(&["current-scopes"]).refused(1, "have been revoked");
    Shell::with(&world.server.root_url, &maker).run(&["current-scopes"]).ok();
    shell.run(&["client", "revoke-certificates", "project/maker", "--seed", "short"]).refused(1, "44 characters");
    shell.run(&["client", "revoke-certificates", "project/maker", "--before", "whenever"]).refused(2, "-2 hours");
    shell.run(&["client", "revoke-certificates", "project/maker", "--before", "1 day"]).refused(1, "five minutes ahead");
    shell.run(&["client", "revoke-certificates", "project/nobody"]).refused(1, "not found");
}

#[test]
fn an_old_token_goes_on_for_a_while_and_is_ended() {
    let world = world();
    let shell = world.as_root();
    let created = shell.run(&["client", "create", "project/kept", "--scope", "auth:current-scopes", "--json"]).json();
    let with = |answer: &serde_json::Value| {
        let credentials = Credentials::new("project/kept", answer["accessToken"].as_str().unwrap());
        Shell::with(&world.server.root_url, &credentials)
    };
    let first = with(&created);
    let reset = shell.run(&["client", "reset", "project/kept", "--overlap", "1 hour", "--json"]).json();
    let second = with(&reset);
    for one in [&first, &second] {
        one.run(&["current-scopes"]).ok();
    }
    let until = format!("counts until {}", reset["oldTokenEnds"].as_str().unwrap());
    assert!(shell.run(&["client", "show", "project/kept"]).ok().contains(&until));
    assert!(shell.run(&["client", "end-old-token", "project/kept"]).ok().contains("counts no more"));
    first.run(&["current-scopes"]).refused(1, "Bad mac");
    assert!(!shell.run(&["client", "show", "project/kept"]).ok().contains("counts until"));
    // Shown to people; and without an overlap, as the protocol has it, nothing goes on.
    let shown = shell.run(&["client", "reset", "project/kept", "--overlap", "10 minutes"]).ok();
    assert!(shown.contains("old token") && shown.contains("accessToken"), "{shown}");
    second.run(&["current-scopes"]).ok();
    shell.run(&["client", "reset", "project/kept"]).ok();
    second.run(&["current-scopes"]).refused(1, "Bad mac");
    shell.run(&["client", "reset", "project/kept", "--overlap", "soon"]).refused(2, "1 hour");
    shell.run(&["client", "reset", "project/kept", "--overlap", "8 days"]).refused(2, "to 7 days");
    shell.run(&["client", "end-old-token", "project/nobody"]).refused(1, "not found");
}

#[test]
fn credentials_for_less_and_signed_urls_are_made_without_a_server() {
    let world = world();
    let root = world.as_root();
    let made = root.run(&["temporary", "--scope", "auth:current-scopes", "--expires", "10 minutes", "--json"]).json();
    let part = |name: &str| made[name].as_str().unwrap();
    let credentials = Credentials::new(part("clientId"), part("accessToken")).with_certificate(part("certificate")).unwrap();
    let narrow = Shell::with(&world.server.root_url, &credentials);
    let scopes = narrow.run(&["current-scopes"]).ok();
    assert!(scopes.contains("auth:current-scopes\n") && !scopes.contains("*\n"), "{scopes}");
    narrow.run(&["client", "list"]).refused(1, "auth:list-clients");
    narrow.run(&["temporary"]).refused(1, "cannot make temporary credentials");
    let lines = root.run(&["temporary", "--name", "night-shift", "--fish"]).ok();
    assert!(lines.contains("set -gx TASKCLUSTER_CLIENT_ID 'night-shift'") && lines.contains("TASKCLUSTER_CERTIFICATE"), "{lines}");
    root.run(&["temporary", "--expires", "32 days"]).refused(1, "31 days");
    root.run(&["temporary", "--expires", "whenever"]).refused(2, "1 hour");

    let url = narrow.run(&["sign-url", "/api/auth/v1/scopes/current", "--expires", "1 minute"]).ok();
    assert!(url.starts_with(&format!("{}/api/auth/v1/scopes/current?bewit=", world.server.root_url)), "{url}");
    let nobody = Shell::at(&world.server.root_url);
    assert!(nobody.run(&["curl", url.trim()]).ok().contains("auth:current-scopes"));
    nobody.run(&["sign-url", "/x"]).refused(1, "needs credentials");
    nobody.run(&["temporary"]).refused(1, "there are no credentials");
    root.run(&["sign-url", "nothing"]).refused(2, "neither a whole URL");
}

/// Deleting what is not there said "deleted", also for a mistyped id of a client that had to go.
#[test]
fn what_is_not_there_is_not_said_to_be_deleted() {
    let world = world();
    let shell = world.as_root();
    shell.run(&["client", "delete", "project/robto"]).refused(1, "there was no client project/robto");
    shell.run(&["role", "delete", "team:rde"]).refused(1, "there was no role team:rde");
    shell.run(&["client", "create", "project/robot"]).ok();
    let created = shell.run(&["client", "create", "cleaner", "--scope", "auth:delete-client:*", "--json"]).json();
    let cleaner = Shell::with(&world.server.root_url, &Credentials::new("cleaner", created["accessToken"].as_str().unwrap()));
    let done = cleaner.run(&["client", "delete", "project/robot"]);
    assert!(done.code == 0 && done.err.contains("whether there was one can't be told without auth:get-client:project/robot"), "{done:?}");
    shell.run(&["client", "delete", "project/robot"]).refused(1, "there was no client");
}

/// A role `..` had come in with a batch, and the command line had no way to be rid of it and named none.
#[tokio::test]
async fn what_no_address_can_name_is_deleted_on_the_pages() {
    let world = world();
    let role = falconer_wire::ImportRole { role_id: "..".to_owned(), scopes: Vec::new(), description: String::new() };
    let batch = falconer_wire::ImportBatch { roles: vec![role], ..Default::default() };
    world.server.client(&world.root).import_batch(&batch).await.unwrap();
    let shell = world.as_root();
    for words in [["role", "show"], ["role", "delete"], ["client", "show"], ["client", "delete"]] {
        shell.run(&[&words[..], &[".."]].concat()).refused(1, "/auth/roles/edit?id=..");
    }
    let data = world.data.to_str().unwrap();
    command_with_input(&["account", "create", "ann", "--scope", "auth:*", "--password-stdin", "--data-dir", data], PASSWORD).ok();
    let mut browser = Browser::new(&world.server);
    eventually("ann can sign in", || browser.sign_in("ann", PASSWORD).then_some(()));
    assert_eq!(browser.get("/auth/roles/edit?id=..").status, 200);
    let page = browser.get("/auth/roles/confirm?id=..");
    assert_eq!(browser.post("/auth/roles/confirm", &support::browser::fields(&page.body, "/auth/roles/confirm")).status, 303);
    assert!(!shell.run(&["role", "list", "--json"]).ok().contains("\"..\""));
}

/// A newcomer's first client could not ask what it may do, and the advice was to ask what it may do.
#[test]
fn a_client_that_cannot_ask_for_its_scopes_is_told_what_it_lacks() {
    let world = world();
    let shell = world.as_root();
    let created = shell.run(&["client", "create", "project/robot", "--scope", "notes:read:x"]);
    assert!(created.err.contains("falconer client update project/robot --scope auth:current-scopes"), "{created:?}");
    let token = shell.run(&["client", "reset", "project/robot", "--json"]).json();
    let robot = Shell::with(&world.server.root_url, &Credentials::new("project/robot", token["accessToken"].as_str().unwrap()));
    let done = robot.run(&["current-scopes"]);
    done.refused(1, "add auth:current-scopes to it");
    assert!(!done.err.contains("`falconer current-scopes`"), "{done:?}");
    for scope in ["auth:current-scopes", "auth:*", "*"] {
        let created_client = shell.run(&["client", "create", "project/asks", "--scope", scope]);
        assert!(created_client.code == 0 && !created_client.err.contains("can't ask"), "{created_client:?}");
        shell.run(&["client", "delete", "project/asks"]).ok();
    }
}

/// `--expires '0 s'` made a client that had ended before its token was read.
#[test]
fn a_new_client_ends_at_a_time_to_come() {
    let world = world();
    let shell = world.as_root();
    for over in ["0 s", "-1 day", "2020-01-01T00:00:00Z"] {
        shell.run(&["client", "create", "project/robot", &format!("--expires={over}")]).refused(2, "never work");
    }
    shell.run(&["client", "show", "project/robot"]).refused(1, "there is no client");
    shell.run(&["client", "create", "project/robot"]).ok();
    shell.run(&["client", "update", "project/robot", "--expires=0 s"]).refused(2, "falconer client disable");
}

#[test]
fn roles_and_expansion() {
    let world = world();
    let shell = world.as_root();
    let created = shell.run(&["role", "create", "team:*", "--scope", "notes:read:<..>/*", "--description", "A team", "--json"]).json();
    assert_eq!((&created["roleId"], &created["description"]), (&"team:*".into(), &"A team".into()));
    assert_eq!(shell.run(&["expand", "assume:team:red"]).ok(), "assume:team:red\nnotes:read:red/*\n");
    assert_eq!(shell.run(&["expand", "a", "--json"]).json(), serde_json::json!(["a"]));
    let changed = shell.run(&["role", "update", "team:*", "--description", "Teams", "--json"]).json();
    assert_eq!((&changed["scopes"], &changed["description"]), (&created["scopes"], &"Teams".into()));
    let changed = shell.run(&["role", "update", "team:*", "--no-scopes", "--json"]).json();
    assert_eq!((&changed["scopes"], &changed["description"]), (&serde_json::json!([]), &"Teams".into()));
    let table = shell.run(&["role", "list"]).ok();
    assert!(table.starts_with("ROLE ") && table.contains("team:*"), "{table}");
    assert!(shell.run(&["role", "show", "team:*"]).ok().contains("Teams"));
    shell.run(&["role", "delete", "team:*"]).ok();
    shell.run(&["role", "show", "team:*"]).refused(1, "there is no role team:*");
    shell.run(&["role", "create", "grant:x"]).refused(1, "reserved");
}

#[test]
fn temporary_credentials_do_what_they_may() {
    let world = world();
    let scopes = ["auth:current-scopes", "auth:expand-scopes", "auth:create-role:temp"];
    let temporary = world.credentials().temporary(Some("project/temp"), &scopes, 600_000);
    // A name needs no more than the root client's scopes.
    let shell = Shell::with(&world.server.root_url, &temporary.unwrap());
    let mut held_scopes: Vec<String> =
        shell.run(&["current-scopes", "--json"]).json().as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect();
    held_scopes.retain(|scope| scope != "assume:anonymous");
    held_scopes.sort();
    assert_eq!(held_scopes, ["auth:create-role:temp", "auth:current-scopes", "auth:expand-scopes"]);
    assert_eq!(shell.run(&["expand", "notes:x"]).ok(), "notes:x\n");
    shell.run(&["role", "create", "temp"]).ok();
    let refused = shell.run(&["role", "create", "other"]);
    refused.refused(1, "auth:create-role:other");
    assert!(refused.err.contains("falconer current-scopes"), "{}", refused.err);
    let signed = shell.run(&["curl", "/api/auth/v1/scopes/current"]).json();
    assert!(signed["scopes"].as_array().unwrap().contains(&"auth:expand-scopes".into()));

    let over = world.credentials().temporary::<&str>(None, &[], -3_600_000).unwrap();
    Shell::with(&world.server.root_url, &over).run(&["current-scopes"]).refused(1, "falconer signin");
}

#[test]
fn curl_signs_and_shows_refusals_whole() {
    let world = world();
    let shell = world.as_root();
    let whole = format!("{}/api/auth/v1/scopes/current", world.server.root_url);
    assert_eq!(shell.run(&["curl", &whole]).json(), serde_json::json!({"scopes": ["*"]}));
    // A whole URL needs no server in the environment.
    assert!(command(&["curl", &whole.replace("scopes/current", "ping")]).ok().contains("alive"));
    let created = shell.run(&["curl", "-X", "put", "-d", r#"{"scopes":["a"],"description":""}"#, "/api/auth/v1/roles/made"]).json();
    assert_eq!(created["roleId"], "made");
    let expanded = shell.run(&["curl", "-d", r#"{"scopes":["assume:made"]}"#, "/api/auth/v1/scopes/expand"]).json();
    assert_eq!(expanded["scopes"], serde_json::json!(["a", "assume:made"]));
    let gone = shell.run(&["curl", "/api/auth/v1/roles/nope"]);
    gone.refused(1, "the answer was 404");
    assert!(gone.err.contains("\"requestInfo\""), "{}", gone.err);
    shell.run(&["curl", "roles"]).refused(2, "begins with `/`");
    shell.run(&["curl", "-X", "A B", "/"]).refused(2, "PUT");
}

/// The advice went by words of the refusal, so that it was lost with other words.
#[test]
fn the_advice_says_what_a_client_id_is_made_of() {
    let world = world();
    let shell = world.as_root();
    shell.run(&["client", "show", "project/a robot"]).refused(1, "letters, digits");
    assert!(!shell.run(&["client", "show", "project/robot"]).err.contains("letters, digits"));
}

/// A 403 whose expression names `auth:current-scopes` was answered with the advice to add it, though something else was missing.
#[test]
fn the_advice_names_what_is_missing() {
    let world = world();
    let scopes = ["auth:current-scopes", "auth:create-client:project/*"];
    let temporary = Shell::with(&world.server.root_url, &world.credentials().temporary(None, &scopes, 600_000).unwrap());
    let refused = temporary.run(&["client", "create", "project/robot", "--scope", "notes:read:red", "--scope", "auth:current-scopes"]);
    refused.refused(1, "notes:read:red");
    assert!(!refused.err.contains("needs a scope of its own") && refused.err.contains("`falconer current-scopes` shows"), "{refused:?}");
}

/// `Bad mac` said that the credentials do not hold, where a certificate of others was still set, or where the service asked about another origin.
#[test]
fn the_advice_on_a_bad_mac_names_the_certificate_and_the_origin() {
    let world = world();
    let temporary = world.credentials().temporary(None, &["auth:current-scopes"], 600_000).unwrap();
    let mixed =
        Credentials::new(&world.root.client_id, &world.root.access_token).with_certificate(temporary.certificate().unwrap()).unwrap();
    Shell::with(&world.server.root_url, &mixed).run(&["current-scopes"]).refused(1, "unset TASKCLUSTER_CERTIFICATE");

    // A service whose 401 is Falconer's word on another origin.
    let service = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = service.local_addr().unwrap();
    let answering = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = service.accept().unwrap();
        let mut head = [0; 8192];
        let _ = stream.read(&mut head).unwrap();
        let body = r#"{"code":"AuthenticationFailed","message":"Unauthorized: Bad mac"}"#;
        write!(stream, "HTTP/1.1 401 Unauthorized\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).unwrap();
    });
    let refused = world.as_root().run(&["curl", &format!("http://{address}/books/red")]);
    answering.join().unwrap();
    refused.refused(1, &format!("signed for http://{address}"));
    assert!(!refused.err.contains("do not hold"), "{refused:?}");
}

#[test]
fn without_credentials_or_a_server_the_next_step_is_said() {
    let world = world();
    let nobody = Shell::at(&world.server.root_url);
    for words in [&["current-scopes"][..], &["client", "list"], &["role", "list"], &["expand", "a"]] {
        nobody.run(words).refused(1, "eval \"$(falconer signin)\"");
    }
    command(&["current-scopes"]).refused(2, "TASKCLUSTER_ROOT_URL");
    Shell::at("").run(&["role", "list"]).refused(2, "TASKCLUSTER_ROOT_URL");
    Shell::at("nonsense").run(&["role", "list"]).refused(2, "https://auth.example.com");
    command(&["role", "list", "--root-url", "nonsense"]).refused(2, "https://auth.example.com");
    let nobody = HeldPort::new();
    Shell::at(&format!("http://{}", nobody.address())).run(&["role", "list"]).refused(1, "does the server run there");
    Shell::with(&world.server.root_url, &Credentials::new("static/falconer/root", "wrong"))
        .run(&["role", "list"])
        .refused(1, "falconer signin");
}

#[test]
fn the_token_that_root_reset_replaces_ends_in_the_running_server() {
    let world = world();
    let fresh = local(&world.data, &["root-reset", "--json"]).json();
    let shell =
        Shell::with(&world.server.root_url, &Credentials::new(fresh["clientId"].as_str().unwrap(), fresh["accessToken"].as_str().unwrap()));
    eventually("the new token counts", || (shell.run(&["current-scopes"]).code == 0).then_some(()));
    world.as_root().run(&["current-scopes"]).refused(1, "Bad mac");
}

/// `account list` without the server's configuration once removed every static client, also from the running server.
#[test]
fn commands_beside_a_server_leave_its_static_clients() {
    let token = "0123456789012345678901";
    let world = world_with(&format!(
        "[[static_client]]\nclient_id = 'static/builder'\naccess_token = '{token}'\nscopes = ['auth:current-scopes']\n"
    ));
    let builder = Shell::with(&world.server.root_url, &Credentials::new("static/builder", token));
    builder.run(&["current-scopes"]).ok();
    world.account(&["create", "ann", "--group", "red"]).ok();
    let mut browser = Browser::new(&world.server);
    let password = world.account(&["password", "ann"]).ok();
    // Signing in reads what the command wrote, so that by then a removal would have been taken in as well.
    eventually("ann can sign in", || browser.sign_in("ann", password.trim()).then_some(()));
    builder.run(&["current-scopes"]).ok();
    // The pages showed the protocol's note as raw Markdown, beside a sentence of their own; root was said to be of the configuration.
    for path in ["/auth/clients", "/auth/clients?id=static%2Fbuilder"] {
        assert!(!browser.get(path).body.contains("**static client**"), "{path}");
    }
    assert!(browser.get("/auth/clients?id=static%2Fbuilder").body.contains("It comes from the configuration"));
    let root = browser.get("/auth/clients?id=static%2Ffalconer%2Froot").body;
    assert!(root.contains("It belongs to Falconer itself") && !root.contains("the configuration"), "{root}");
}

const PASSWORD: &str = "a few good words";
