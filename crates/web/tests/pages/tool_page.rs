//! The page that `taskcluster signin` opens, through the router, as a browser sees it.

use std::sync::atomic::Ordering;

use crate::site::{START_MS, encode, site, with};
use falconer_auth::Authentication;
use http::Method;

const PATH: &str = "/auth/clients/create";
/// As the command sends it, but for its order.
const REQUEST: &str = "scope=%2A&name=cli-KOZ75V&expires=1d&callback_url=http%3A%2F%2Flocalhost%3A36811&description=Temporary+client";
/// What somebody needs to make clients of their own.
const OWN: &str = "auth:create-client:local/bob/*";
const TOOL_CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' http://localhost:* https://localhost:*; \
                        base-uri 'none'; frame-ancestors 'none'";

fn ticked(fields: &[(String, String)]) -> usize {
    fields.iter().filter(|(name, _)| name == "tick").count()
}

/// A link without `expires` chose 1000 years beforehand.
#[tokio::test]
async fn no_more_than_a_year_is_chosen_beforehand_unless_it_was_wished() {
    const YEAR_MS: i64 = 365 * 86_400_000;
    let site = site().await;
    let mut bob = site.somebody("bob", &[OWN, "notes:*"]).await;
    for (more, chosen) in [("", YEAR_MS), ("&expires=2+years", 2 * YEAR_MS), ("&expires=3+days", 3 * 86_400_000)] {
        for path in [PATH, "/auth/clients/new"] {
            let page = bob.get(&format!("{path}?scope=notes:read&name=tool{more}")).await;
            assert!(page.text.contains(&format!("name=\"lifetime\" value=\"{chosen}\" checked")), "{more}: {}", page.text);
            assert_eq!(page.text.contains("1000 years"), more.is_empty(), "{more}");
        }
    }
}

/// Credentials would have stood in the address bar of a page that nobody reads them from.
#[tokio::test]
async fn falconer_itself_waits_for_no_credentials() {
    let site = crate::site::site_at("http://localhost:8080", falconer_web::RequestLimits::default()).await;
    let mut bob = site.somebody("bob", &[OWN, "notes:*"]).await;
    for (port, status) in [("8080", 400), ("36811", 200)] {
        let page = bob.get(&format!("{PATH}?scope=notes:read&name=tool&callback_url=http://localhost:{port}/x")).await;
        assert_eq!((page.status.as_u16(), page.text.contains("an address of Falconer itself")), (status, status == 400), "{}", page.text);
        let page = bob.get(&format!("/?target=http://localhost:{port}/x&description=Notes&scope=notes:read")).await;
        assert_eq!((page.status.as_u16(), page.text.contains("is Falconer itself")), (status, status == 400), "{}", page.text);
    }
}

#[tokio::test]
async fn a_program_gets_a_client_with_what_was_ticked() {
    let site = site().await;
    let mut bob = site.somebody("bob", &[OWN, "notes:*", "queue:ping"]).await;
    let page = bob.get(&format!("{PATH}?{REQUEST}")).await;
    let policy = page.header("content-security-policy");
    let (before, script) = policy.split_once("script-src ").unwrap();
    let (script, after) = script.split_once("; ").unwrap();
    assert_eq!((page.status.as_u16(), format!("{before}{after}").as_str()), (200, TOOL_CSP));
    assert!(script.starts_with("'sha256-") && !script.contains(' '), "one script and no other: {script}");
    assert!(page.text.contains("A program on this computer asks") && page.text.contains("http://localhost:36811"), "{}", page.text);
    let form = page.form(PATH);
    // All that bob has, the roles of a person too, and what is broad is not ticked.
    let has = site.auth.person_scopes("local/bob").unwrap();
    assert_eq!((page.text.matches("name=\"tick\"").count(), ticked(&form)), (has.len(), has.len() - 1));

    let answer = bob.post(PATH, &form).await;
    assert_eq!(answer.status, 303);
    let (address, query) = answer.location().split_once('?').unwrap();
    assert_eq!(address, "http://localhost:36811");
    let fields: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    assert_eq!(fields[0], ("clientId".to_owned(), "local/bob/cli-KOZ75V".to_owned()));
    assert_eq!((fields[1].0.as_str(), fields[1].1.len(), fields.len()), ("accessToken", 44, 2));
    for (name, value) in
        [("referrer-policy", "no-referrer"), ("cache-control", "no-store"), ("content-security-policy", "default-src 'none'")]
    {
        assert_eq!(answer.header(name), value);
    }
    let who = Authentication::person("local/ann");
    assert!(site.auth.client(&who, "local/bob/cli-KOZ75V").is_err(), "ann may not look");
    let snapshot = site.auth.directory();
    let record = &snapshot.client("local/bob/cli-KOZ75V").unwrap().record();
    let all_but_broad: Vec<&str> = has.iter().filter(|scope| *scope != OWN).collect();
    assert_eq!(record.scopes, all_but_broad);
    assert!(record.scopes.contains(&"queue:ping".to_owned()));
    // Signing in took a second.
    assert_eq!((record.expires_us, record.delete_on_expiration), ((START_MS + 1_000 + 86_400_000) * 1000, true));
    assert_eq!(record.description, "Temporary client");

    // Pressed twice, some time later: the same answer.
    site.clock.0.fetch_add(14 * 60_000, Ordering::SeqCst);
    assert_eq!(bob.post(PATH, &form).await.location(), answer.location());
    site.clock.0.fetch_add(60_000, Ordering::SeqCst);
    let late = bob.post(PATH, &form).await;
    assert_eq!(late.status, 409);
    assert!(late.text.contains("Client already exists."), "{}", late.text);
}

#[tokio::test]
async fn scopes_asked_for_are_cut_to_what_the_person_has() {
    let site = site().await;
    let mut bob = site.somebody("bob", &[OWN, "notes:read:*"]).await;
    let page = bob.get("/auth/clients/new?scope=notes%3A%2A&scope=queue%3Aping&name=x").await;
    assert!(page.text.contains("You don&#39;t have this yourself") || page.text.contains("You don't have this yourself"), "{}", page.text);
    let shown = bob.post(PATH, &page.form(PATH)).await;
    assert_eq!((shown.status.as_u16(), shown.header("cache-control")), (200, "no-store"));
    assert!(shown.text.contains("The client was created"), "{}", shown.text);
    let snapshot = site.auth.directory();
    let record = &snapshot.client("local/bob/x").unwrap().record();
    assert_eq!(record.scopes, ["notes:read:*"]);
    assert!(shown.text.contains(record.access_token.expose()));
}

#[tokio::test]
async fn the_answer_goes_to_this_machine_only() {
    let site = site().await;
    let mut bob = site.somebody("bob", &[OWN, "notes:*"]).await;
    let good = bob.get(&format!("{PATH}?{REQUEST}")).await.form(PATH);
    for callback in ["https://evil.example/", "http://localhost.evil.example/", "http://localhost:80@evil.example/", "http://127.0.0.1:1/"]
    {
        let request = encode(&[("name".to_owned(), "x".to_owned()), ("callback_url".to_owned(), callback.to_owned())]);
        let pages = [bob.get(&format!("{PATH}?{request}")).await, bob.post(PATH, &with(good.clone(), &[("request", &request)])).await];
        for page in pages {
            assert_eq!(page.status, 400);
            assert!(page.text.contains(&format!("Callback URL {callback} is not allowed.")), "{}", page.text);
        }
    }
    assert_eq!(site.auth.directory().clients("").count(), 0);
}

#[tokio::test]
async fn what_was_typed_stays_and_the_reason_stands_beside_it() {
    let site = site().await;
    let mut bob = site.somebody("bob", &[OWN, "notes:*"]).await;
    let form = bob.get(&format!("{PATH}?{REQUEST}")).await.form(PATH);
    for (changes, status, text) in [
        (&[("name", "a b"), ("description", "kept <i>")][..], 422, "The name needs at least one character"),
        (&[("tick", ""), ("description", "kept <i>")], 422, "Tick at least one thing"),
        (&[("lifetime", "999999999"), ("description", "kept <i>")], 422, "Choose how long"),
        (&[("asked_at", "1"), ("description", "kept <i>")], 409, "the page was open for too long"),
        (&[("shown", "x"), ("description", "kept <i>")], 409, "has changed since"),
    ] {
        let page = bob.post(PATH, &with(form.clone(), changes)).await;
        assert_eq!(page.status, status, "{changes:?} {}", page.text);
        assert!(page.text.contains(text) && page.text.contains("kept &#60;i&#62;"), "{}", page.text);
    }
    assert_eq!(site.auth.directory().clients("").count(), 0);

    let mut ann = site.ann().await;
    let form = ann.get(&format!("{PATH}?{REQUEST}")).await.form(PATH);
    let page = ann.post(PATH, &form).await;
    assert_eq!(page.status, 403);
    assert!(page.text.contains("<code>auth:create-client:local/ann/cli-KOZ75V</code>"), "{}", page.text);
}

#[tokio::test]
async fn what_is_not_ticked_does_not_come_back() {
    let site = site().await;
    let mut admin = site.somebody("admin", &["auth:*", "notes:*", "queue:*"]).await;
    let role = falconer_auth::RoleInput { scopes: vec!["notes:read:x".to_owned(), "queue:ping".to_owned()], description: String::new() };
    site.auth.create_role(&Authentication::person("local/admin"), "both", &role).await.unwrap();
    assert_eq!(admin.get(PATH).await.status, 200);
    let mut bob = site.somebody("bob", &[OWN, "assume:both"]).await;
    let page = bob.get(&format!("{PATH}?{REQUEST}")).await;
    let form = page.form(PATH);
    let at = page.text.rfind("<code>queue:ping</code>").unwrap();
    let before = &page.text[..at];
    let key = before.rsplit("value=\"").next().unwrap().split('"').next().unwrap().to_owned();
    let without: Vec<_> = form.into_iter().filter(|(_, value)| *value != key).collect();
    let repeated = bob.post(PATH, &without).await;
    assert_eq!(repeated.status, 409);
    assert!(repeated.text.contains("it would give back what you did not tick"), "{}", repeated.text);
    assert_eq!(bob.post(PATH, &repeated.form(PATH)).await.status, 303);
    let snapshot = site.auth.directory();
    let scopes = &snapshot.client("local/bob/cli-KOZ75V").unwrap().record().scopes;
    assert!(scopes.contains(&"notes:read:x".to_owned()), "{scopes:?}");
    assert!(!site.auth.directory().expand(scopes).satisfies("queue:ping"), "{scopes:?}");
}

#[tokio::test]
async fn sign_in_leads_back_and_foreign_forms_do_nothing() {
    let site = site().await;
    let mut browser = site.browser();
    let to_login = browser.get(&format!("{PATH}?{REQUEST}")).await.location().to_owned();
    assert!(to_login.starts_with("/login?next=%2Fauth%2Fclients%2Fcreate%3Fscope%3D"), "{to_login}");
    let back = browser.sign_in(&to_login).await;
    assert_eq!(back.location(), format!("{PATH}?{REQUEST}"));
    let form = browser.get(back.location()).await.form(PATH);
    let before = site.auth.revision();
    let no_token = browser.post(PATH, &with(form.clone(), &[("csrf", "")])).await;
    let elsewhere = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    let foreign = browser.send(Method::POST, PATH, &elsewhere, Some(encode(&form))).await;
    assert_eq!((no_token.status.as_u16(), foreign.status.as_u16()), (403, 403));
    assert_eq!(site.auth.revision(), before);
    browser.cookies.clear();
    assert!(browser.post(PATH, &form).await.location().starts_with("/login?next="));
}
