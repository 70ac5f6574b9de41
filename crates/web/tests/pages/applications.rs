//! Applications on pages: register, read, change, another secret, delete; by kind of person, through the router.

use std::sync::atomic::Ordering;

use crate::site::{Browser, Site, site, with};
use falconer_auth::{ApplicationInput, Authentication};

const FORM: &str = "/auth/applications/edit";
const CONFIRM: &str = "/auth/applications/confirm";
const SECRET: &str = "falconer_as_";

async fn admin(site: &Site) -> Browser<'_> {
    site.somebody("admin", &["auth:*", "notes:*"]).await
}

/// The form for a new application, filled in.
async fn filled(browser: &mut Browser<'_>, id: &str) -> Vec<(String, String)> {
    let form = browser.get("/auth/applications/add").await.form(FORM);
    let fields = [
        ("id", id),
        ("name", "The wiki"),
        ("description", "Of the company"),
        ("redirect_uris", "https://wiki.example.com/callback\r\n\r\nhttp://127.0.0.1/callback\r\n"),
        ("scopes", "notes:write:wiki\r\nnotes:read:*"),
        ("max_life", "90 minutes"),
        ("remember_consent", "30 days"),
        ("owner", ""),
        ("confidential", "yes"),
        ("pushed_only", "yes"),
        ("id_token_alg", "EdDSA"),
        ("backchannel_logout_uri", " https://wiki.example.com/signed-out "),
    ];
    with(form, &fields)
}

fn secret_in(page: &str) -> String {
    let rest = page.split(SECRET).nth(1).unwrap_or_else(|| panic!("no secret: {page}"));
    format!("{SECRET}{}", rest.split('<').next().unwrap_or_default())
}

#[tokio::test]
async fn an_application_from_its_registration_to_its_end() {
    let site = site().await;
    let mut admin = admin(&site).await;
    let form = filled(&mut admin, "wiki").await;
    let shown = admin.post(FORM, &form).await;
    assert_eq!((shown.status.as_u16(), shown.header("cache-control")), (200, "no-store"), "{}", shown.text);
    let first = secret_in(&shown.text);
    let known = |site: &Site| site.auth.directory().applications().get("wiki").cloned();
    let record = known(&site).unwrap();
    assert_eq!((record.name.as_str(), record.max_life_ms, record.confidential), ("The wiki", 90 * 60_000, true));
    assert_eq!((record.remember_ms, record.skip_consent), (30 * 86_400_000, false));
    assert_eq!((record.pushed_only, record.id_token_alg.as_str()), (true, "EdDSA"));
    assert_eq!(record.backchannel_logout_uri, "https://wiki.example.com/signed-out");
    assert_eq!(record.redirect_uris, ["https://wiki.example.com/callback", "http://127.0.0.1/callback"]);
    assert_eq!(record.scopes, ["notes:read:*", "notes:write:wiki"]);
    // Pressed twice: there is one of this id, and what was typed stays.
    let twice = admin.post(FORM, &form).await;
    assert!(twice.status == 409 && twice.text.contains("there is an application of this id"), "{}", twice.text);

    let list = admin.get("/auth/applications").await.text;
    assert!(list.contains("The wiki") && list.contains("/auth/applications?id=wiki") && list.contains("Create an application"), "{list}");
    assert!(admin.get("/auth/applications?scope=notes:read:x").await.text.contains("The wiki"));
    assert!(admin.get("/auth/applications?scope=queue:x").await.text.contains("Nothing was found"));
    let page = admin.get("/auth/applications?id=wiki").await.text;
    for part in [
        "90 minutes",
        "once in 30 days where they want that",
        "have to be pushed",
        "https://wiki.example.com/signed-out",
        "https://wiki.example.com/callback",
        "notes:write:wiki",
        "confidential",
        "Edit",
        "New secret",
        "created",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains(SECRET), "nobody reads it later");

    // Changed: it keeps its secret, and what the form does not show.
    let edit = admin.get("/auth/applications/edit?id=wiki").await.form(FORM);
    let saved = admin.post(FORM, &with(edit.clone(), &[("name", "The new wiki"), ("confidential", "yes")])).await;
    assert_eq!(saved.location(), "/auth/applications?id=wiki&done=saved", "{}", saved.text);
    let changed = known(&site).unwrap();
    assert_eq!((changed.name.as_str(), &changed.secret_hash), ("The new wiki", &record.secret_hash));
    // The form of before would take that away.
    site.clock.0.fetch_add(1000, Ordering::SeqCst);
    let stale = admin.post(FORM, &with(edit, &[("name", "The old wiki"), ("confidential", "yes")])).await;
    assert!(stale.status == 409 && stale.text.contains("was changed after you opened this page"), "{}", stale.text);
    assert_eq!(known(&site).unwrap().name, "The new wiki");

    // Another secret, beside which the first works for a day; then one that ends all others.
    for (action, keeps) in [("secret", true), ("secret_now", false)] {
        let ask = admin.get(&format!("{CONFIRM}?id=wiki&action={action}")).await.form(CONFIRM);
        let shown = admin.post(CONFIRM, &ask).await;
        assert_ne!(secret_in(&shown.text), first, "{action}");
        assert_eq!(shown.text.contains("The one before works until"), keeps, "{}", shown.text);
        assert_eq!(known(&site).unwrap().old_secret_ends_ms.is_some(), keeps, "{action}");
    }
    let ask = admin.get(&format!("{CONFIRM}?id=wiki&action=delete")).await.form(CONFIRM);
    assert_eq!(admin.post(CONFIRM, &ask).await.location(), "/auth/applications?done=deleted");
    assert!(known(&site).is_none());
    assert_eq!(admin.get("/auth/applications?id=wiki").await.status, 404);
}

#[tokio::test]
async fn what_can_not_be_is_said_beside_what_was_typed() {
    let site = site().await;
    let mut admin = admin(&site).await;
    let form = filled(&mut admin, "wiki").await;
    for (field, value, said) in [
        ("id", "no spaces", "letters, digits"),
        ("name", "", "write what people call it"),
        ("redirect_uris", "http://wiki.example.com/", "http://wiki.example.com/"),
        ("redirect_uris", "", "give 1 to"),
        ("scopes", "", "What it may ask for: give 1 to"),
        ("max_life", "for ever", "is no length of time"),
        ("max_life", "-1 hour", "give more than nothing"),
        ("max_life", "32 days", "Longest grant: give more than nothing and at most 31 days"),
        ("remember_consent", "for ever", "Consent may be remembered for: <code>for ever</code> is no length of time"),
        ("owner", "local/nobody", "nobody has the identity"),
    ] {
        let page = admin.post(FORM, &with(form.clone(), &[(field, value)])).await;
        assert!(page.status == 400 && page.text.contains(said), "{field} {value}: {} {}", page.status, page.text);
        assert!(page.text.contains("Of the company"), "{field}: what was typed stays");
        // Story: what is wrong stood above fifteen fields, by a name that no page has, and the field was not marked.
        let mark = page.text.split(&format!(" name=\"{field}\"")).nth(1).unwrap().split('>').next().unwrap();
        assert!(mark.contains(" fault\" aria-invalid=\"true\" autofocus"), "{field} {value}: {mark}");
        assert_eq!(page.text.matches("aria-invalid").count(), 1, "{field} {value}");
    }
    assert_eq!(site.auth.directory().applications().iter().count(), 0);
    assert_eq!(admin.get(&format!("{CONFIRM}?id=wiki&action=explode")).await.status, 400);
}

#[tokio::test]
async fn everybody_does_what_they_may_and_an_owner_needs_no_scope() {
    let site = site().await;
    let mut admin = admin(&site).await;
    let mut ann = site.ann().await;
    assert_eq!(ann.get("/auth/applications").await.status, 403);
    let form = filled(&mut ann, "wiki").await;
    let refused = ann.post(FORM, &form).await;
    assert!(refused.status == 403 && refused.text.contains("<code>auth:create-application:wiki</code>"), "{}", refused.text);
    let form = filled(&mut admin, "wiki").await;
    assert_eq!(admin.post(FORM, &form).await.status, 200);
    for path in ["/auth/applications?id=wiki", "/auth/applications/edit?id=wiki", "/auth/applications/confirm?id=wiki&action=secret"] {
        let page = ann.get(path).await;
        assert!(page.status == 403 && page.text.contains("<code>auth:list-applications</code>"), "{path} {}", page.text);
    }
    // It becomes theirs: they find it, and change it as far as they have its scopes.
    let who = Authentication::person("local/admin");
    let record = site.auth.application(&who, "wiki").unwrap();
    let input =
        ApplicationInput { owner: "local/ann".to_owned(), scopes: vec!["notes:read:x".to_owned()], ..ApplicationInput::of(&record) };
    site.auth.put_application(&who, "wiki", &input, "", None).await.unwrap();
    let list = ann.get("/auth/applications").await.text;
    assert!(list.contains("/auth/applications?id=wiki") && !list.contains("Create an application"), "{list}");
    assert!(ann.get("/").await.text.contains("/auth/applications"), "their own page leads there");
    let form = ann.get("/auth/applications/edit?id=wiki").await.form(FORM);
    let more = ann.post(FORM, &with(form, &[("scopes", "queue:everything"), ("confidential", "yes")])).await;
    assert!(more.status == 403 && more.text.contains("<code>queue:everything</code>"), "{}", more.text);
    // Who may look only is offered nothing.
    let mut reader = site.somebody("reader", &["auth:list-applications"]).await;
    let page = reader.get("/auth/applications?id=wiki").await.text;
    assert!(!page.contains("/auth/applications/edit") && !page.contains("action=delete"), "{page}");
    let ask = reader.get(&format!("{CONFIRM}?id=wiki&action=delete")).await.form(CONFIRM);
    let refused = reader.post(CONFIRM, &ask).await;
    assert!(refused.status == 403 && refused.text.contains("<code>auth:delete-application:wiki</code>"), "{}", refused.text);
}

#[tokio::test]
async fn where_answers_go_and_secrets_need_a_fresh_sign_in() {
    let site = site().await;
    let mut admin = admin(&site).await;
    let form = filled(&mut admin, "wiki").await;
    site.clock.0.fetch_add(3_600_000, Ordering::SeqCst);
    let kept = admin.post(FORM, &form).await;
    assert!(kept.status == 403 && kept.text.contains("name=\"kept-redirect_uris\""), "{}", kept.text);
    assert_eq!(site.auth.directory().applications().iter().count(), 0);
}

#[tokio::test]
async fn an_application_has_keys_in_place_of_a_secret() {
    const KEYS: &str =
        r#"{"keys": [{"kid": "<1>", "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "use": "sig"}]}"#;
    let site = site().await;
    let mut admin = admin(&site).await;
    let form = with(filled(&mut admin, "wiki").await, &[("jwks", KEYS), ("agent", "yes")]);
    let private = with(form.clone(), &[("jwks", &KEYS.replace("\"use\"", "\"d\""))]);
    let refused = admin.post(FORM, &private).await;
    assert!(refused.status == 400 && refused.text.contains("a key holds its private part"), "{}", refused.text);
    let refused = admin.post(FORM, &with(form.clone(), &[("jwks", "key")])).await;
    assert!(refused.status == 400 && refused.text.contains("Public keys: write a set of keys"), "{}", refused.text);
    let public: Vec<_> = form.iter().filter(|(name, _)| name != "confidential").cloned().collect();
    let refused = admin.post(FORM, &public).await;
    assert!(refused.status == 400 && refused.text.contains("has no keys"), "{}", refused.text);

    let saved = admin.post(FORM, &form).await;
    assert!(saved.status.is_redirection(), "no secret is shown: {}", saved.text);
    let record = site.auth.directory().applications().get("wiki").cloned().unwrap();
    assert_eq!((record.keys.len(), record.agent, record.secret_hash.as_deref()), (1, true, None));
    let page = admin.get(saved.location()).await;
    assert!(
        page.text.contains("1 key") && page.text.contains("Acts of its own accord") && !page.text.contains("New secret"),
        "{}",
        page.text
    );
    // The form has them as they are kept, and saving it changes nothing.
    let edit = admin.get("/auth/applications/edit?id=wiki").await.form(FORM);
    admin.post(FORM, &edit).await;
    let kept = site.auth.directory().applications().get("wiki").cloned().unwrap();
    assert_eq!((&kept.keys, kept.last_modified_ms), (&record.keys, record.last_modified_ms));
    // Without them it gets a secret.
    let shown = admin.post(FORM, &with(edit, &[("jwks", "")])).await;
    assert!(shown.text.contains(SECRET), "{}", shown.text);
}
