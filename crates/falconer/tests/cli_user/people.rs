//! People and their accounts, with commands beside the running server.

use super::*;

#[test]
fn accounts_are_managed_beside_the_running_server() {
    let world = world();
    assert_eq!(world.account(&["list", "--json"]).json(), serde_json::json!([]));
    let data = world.data.to_str().unwrap();
    let created = command_with_input(
        &[
            "account",
            "create",
            "ann",
            "--email",
            "ann@example.com",
            "--group",
            "red",
            "--scope",
            "notes:read:*",
            "--password-stdin",
            "--data-dir",
            data,
        ],
        &format!("{PASSWORD}\n"),
    );
    assert_eq!((created.code, created.out.as_str()), (0, ""), "a given password is not printed: {created:?}");
    world.account(&["create", "ann"]).refused(1, "in use");
    world.account(&["create", "Not A Name"]).refused(1, "lower-case");
    world.account(&["scopes", "ann", "*"]).refused(1, "assume:");
    world.account(&["disable", "bob"]).refused(1, "There is no account bob");
    command_with_input(&["account", "password", "ann", "--password-stdin", "--data-dir", data], "").refused(1, "no password");

    let mut browser = Browser::new(&world.server);
    eventually("ann can sign in", || browser.sign_in("ann", PASSWORD).then_some(()));
    world.account(&["groups", "ann", "blue", "green"]).ok();
    world.account(&["scopes", "ann", "--none"]).ok();
    let listed = world.account(&["list", "--json"]).json();
    assert_eq!((&listed[0]["groups"], &listed[0]["scopes"]), (&serde_json::json!(["blue", "green"]), &serde_json::json!([])));
    eventually("the page shows the new groups", || browser.get("/").body.contains("green").then_some(()));

    let printed = world.account(&["password", "ann"]).ok();
    eventually("a new password ends the session", || (!browser.is_signed_in()).then_some(()));
    eventually("the new password counts", || browser.sign_in("ann", printed.trim()).then_some(()));
    world.account(&["delete", "ann"]).ok();
    eventually("deletion ends the session", || (!browser.is_signed_in()).then_some(()));
    world.account(&["create", "ann"]).refused(1, "in use");
    assert!(world.account(&["list"]).ok().contains("deleted"));
}

#[test]
fn people_are_linked_beside_the_running_server() {
    let world = world();
    let person = |words: &[&str]| world.person(words);
    for name in ["ann", "bob", "eve"] {
        world.account(&["create", name, "--scope", &format!("x:{name}")]).ok();
    }
    let mut browser = Browser::new(&world.server);
    let password = world.account(&["password", "ann"]).ok();
    eventually("ann can sign in", || browser.sign_in("ann", password.trim()).then_some(()));
    let before = person(&["show", "local/ann", "--json"]).json();
    assert_eq!((&before["name"], before["identities"].as_array().unwrap().len()), (&"local/ann".into(), 1));
    person(&["link", "local/bob", "local/ann"]).ok();
    eventually("linking ends the session", || (!browser.is_signed_in()).then_some(()));
    eventually("ann can sign in again", || browser.sign_in("ann", password.trim()).then_some(()));
    eventually("the page shows what bob may do", || browser.get("/").body.contains("x:bob").then_some(()));
    person(&["name", "local/bob"]).ok();
    let both = person(&["show", "local/ann", "--json"]).json();
    assert_eq!((&both["id"], &both["name"], &both["disabled"]), (&before["id"], &"local/bob".into(), &false.into()));
    let scopes = both["scopes"].as_array().unwrap();
    assert!(scopes.contains(&"x:ann".into()) && scopes.contains(&"x:bob".into()), "{scopes:?}");
    assert!(person(&["list"]).ok().contains("local/ann local/bob"));
    assert_eq!(person(&["list", "--json"]).json().as_array().unwrap().len(), 2);

    person(&["link", "local/bob", "local/eve"]).refused(1, "Unlink it there first");
    person(&["link", "local/bob", "local/ann"]).refused(1, "linked already");
    person(&["link", "local/nobody", "local/ann"]).refused(1, "Nobody has the identity local/nobody");
    person(&["unlink", "local/eve"]).refused(1, "linked with no other");
    person(&["show", "local/nobody"]).refused(1, "nobody has the identity");

    person(&["disable", "local/bob"]).ok();
    eventually("a disabled person is signed out", || (!browser.is_signed_in()).then_some(()));
    assert!(person(&["list"]).ok().contains("  disabled  "));
    person(&["enable", "local/ann"]).ok();
    person(&["unlink", "local/bob"]).ok();
    assert!(!person(&["show", "local/ann"]).ok().contains("x:bob"));
    assert_eq!(person(&["list", "--json"]).json().as_array().unwrap().len(), 3);
}

#[test]
fn a_disabled_person_loses_session_and_grants_in_the_running_server() {
    let world = world();
    let data = world.data.to_str().unwrap();
    command_with_input(&["account", "create", "ann", "--scope", "notes:read:*", "--password-stdin", "--data-dir", data], PASSWORD).ok();
    let mut browser = Browser::new(&world.server);
    eventually("ann can sign in", || browser.sign_in("ann", PASSWORD).then_some(()));
    let address = "/?target=https%3A%2F%2Fnotes.example.com%2F&description=A%20test&scope=notes%3Aread%3Ax";
    let location = browser.grant(address, "notes.example.com");
    let answer: std::collections::BTreeMap<String, String> = url::Url::parse(&location).unwrap().query_pairs().into_owned().collect();
    let granted = Credentials::new(&answer["clientId"], &answer["accessToken"]).with_certificate(&answer["certificate"]).unwrap();
    let shell = Shell::with(&world.server.root_url, &granted);
    assert!(shell.run(&["current-scopes"]).ok().contains("notes:read:x\n"));
    assert!(browser.is_signed_in());

    world.account(&["disable", "ann"]).ok();
    let refusal = eventually("the grant is worth nothing", || Some(shell.run(&["current-scopes"])).filter(|done| done.code == 1));
    assert!(refusal.err.contains("grant"), "{}", refusal.err);
    eventually("the session is over", || (!browser.is_signed_in()).then_some(()));
    assert!(!browser.sign_in("ann", PASSWORD));

    world.account(&["enable", "ann"]).ok();
    eventually("ann can sign in again", || browser.sign_in("ann", PASSWORD).then_some(()));
    shell.run(&["current-scopes"]).refused(1, "grant");
}

/// `client create` with a grant printed the end of the record, a year ahead, and nothing of the grant that the client ends with.
#[test]
fn a_client_made_with_a_grant_is_said_to_end_with_it() {
    let world = world();
    let data = world.data.to_str().unwrap();
    command_with_input(&["account", "create", "ann", "--password-stdin", "--data-dir", data], PASSWORD).ok();
    let mut browser = Browser::new(&world.server);
    eventually("ann can sign in", || browser.sign_in("ann", PASSWORD).then_some(()));
    let address = "/?target=https%3A%2F%2Fnotes.example.com%2F&description=A%20test&scope=auth%3Acreate-client%3Alocal%2Fann%2Ftool";
    // What is broad is not ticked beforehand.
    let page = browser.get(address);
    let mut form = support::browser::fields(&page.body, "/grant");
    let line = page.body.split("name=\"tick\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    form.push(("tick".to_owned(), line.to_owned()));
    support::browser::put(&mut form, "typed_host", "notes.example.com");
    let location = eventually("the button counts", || Some(browser.post("/grant", &form)).filter(|page| page.status == 303)).location;
    let answer: std::collections::BTreeMap<String, String> = url::Url::parse(&location).unwrap().query_pairs().into_owned().collect();
    let granted = Credentials::new(&answer["clientId"], &answer["accessToken"]).with_certificate(&answer["certificate"]).unwrap();
    let created = Shell::with(&world.server.root_url, &granted).run(&["client", "create", "local/ann/tool"]);
    assert!(created.code == 0 && created.err.contains(&answer["clientId"]) && created.err.contains("ends with it"), "{created:?}");
    // The pages told the year ahead, too.
    let list = browser.get("/auth/clients?q=local/ann/tool").body;
    let in_a_day = list.contains("ends in 1 day<") || list.contains("ends in 23 hours");
    assert!(list.contains("made with a grant") && in_a_day, "{list}");
    let page = browser.get("/auth/clients?id=local/ann/tool").body;
    assert!(
        page.contains("<dt>Made with grant</dt>")
            && page.contains("<dt>Last used</dt><dd>never, or within six hours after it was made</dd>"),
        "{page}"
    );
    // Where they were imported, they would last.
    let root = world.as_root();
    let export = root.run(&["export"]);
    assert!(!export.out.contains("local/ann/tool") && export.err.contains("1 under static/, 1 made with a grant"), "{export:?}");
    let export = root.run(&["export", "--granted"]);
    assert!(export.out.contains("local/ann/tool") && export.err.contains("0 made with a grant"), "{export:?}");
    let keys = [format!("--from-client-id={}", world.root.client_id), format!("--from-access-token={}", world.root.access_token)];
    let import = root.run(&["import", "--from-root-url", &world.server.root_url, &keys[0], &keys[1], "--dry-run"]);
    let named = import.err.contains("they end with grants") && import.err.contains("local/ann/tool");
    assert!(import.code == 0 && named, "{import:?}");
    let password = world.account(&["password", "ann", "--revoke-grants"]).ok();
    eventually("the new password counts", || browser.sign_in("ann", password.trim()).then_some(()));
    let ended = |page: &str| page.contains("ended with its grant") && page.contains("<dt>Ended</dt>");
    eventually("the client has ended", || ended(&browser.get("/auth/clients?id=local/ann/tool").body).then_some(()));

    let lasting = world.as_root().run(&["client", "create", "project/lasting"]);
    assert!(lasting.code == 0 && !lasting.err.contains("grant"), "{lasting:?}");
}
