//! Create, edit, plan, reset, disable, enable and delete clients and roles, by kind of person, through the router.

use std::sync::atomic::Ordering;

use crate::site::{Browser, START_MS, Site, encode, site, with};
use falconer_auth::{Authentication, ClientInput, RoleInput};
use http::Method;

const ADMIN: &[&str] = &["auth:*", "notes:*", "queue:*", "assume:inner", "assume:outer"];
const READER: &[&str] = &["auth:list-clients", "auth:get-client:*", "auth:list-roles", "auth:get-role:*", "auth:expand-scopes"];
const CLIENT_FORM: &str = "/auth/clients/edit";
const ROLE_FORM: &str = "/auth/roles/edit";

/// A client, a role that it has, another role that has that one, and an administrator.
async fn admin(site: &Site) -> Browser<'_> {
    let browser = site.somebody("admin", ADMIN).await;
    let who = Authentication::person("local/admin");
    for (id, scopes) in [("inner", &["notes:read:*"][..]), ("outer", &["assume:inner"])] {
        let input = RoleInput { scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(), description: String::new() };
        site.auth.create_role(&who, id, &input).await.unwrap();
    }
    let scopes = Some(vec!["queue:ping".to_owned(), "notes:read:a".to_owned()]);
    let input = ClientInput {
        expires_us: (START_MS + 86_400_000) * 1000,
        description: "two\nlines".to_owned(),
        scopes,
        delete_on_expiration: true,
    };
    site.auth.create_client(&who, "project/one", &input).await.unwrap();
    browser
}

fn id(path: &str, id: &str) -> String {
    format!("{path}?{}", encode(&[("id".to_owned(), id.to_owned())]))
}

#[tokio::test]
async fn a_client_from_its_creation_to_its_end() {
    let site = site().await;
    let mut admin = admin(&site).await;
    let form = with(
        admin.get("/auth/clients/add").await.form(CLIENT_FORM),
        &[
            ("id", "project/two"),
            ("scopes", "notes:write:x\r\n\r\nqueue:ping\r\n"),
            ("expires", "3 days"),
            ("description", "a\r\nb"),
            ("do", "save"),
        ],
    );
    let new_record = admin.post(CLIENT_FORM, &form).await;
    assert_eq!((new_record.status.as_u16(), new_record.header("cache-control")), (200, "no-store"));
    let record = site.auth.directory().client("project/two").unwrap().record();
    assert!(new_record.text.contains(record.access_token.expose()), "{}", new_record.text);
    assert_eq!(record.scopes, ["notes:write:x", "queue:ping"]);
    // Signing in took a second, before the form was shown.
    assert_eq!((record.expires_us, record.description.as_str()), ((START_MS + 1000 + 3 * 86_400_000) * 1000, "a\nb"));
    // Pressed twice, later: the time still counts from the form.
    site.clock.0.fetch_add(60_000, Ordering::SeqCst);
    assert!(admin.post(CLIENT_FORM, &form).await.text.contains(record.access_token.expose()));

    let page = admin.get(&id("/auth/clients", "project/two")).await;
    for part in ["created", "local/admin", "action=reset", "action=disable", "action=delete"] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(!page.text.contains(record.access_token.expose()));

    const CONFIRM: &str = "/auth/clients/confirm";
    let ask = async |admin: &mut Browser<'_>, action: &str| {
        let page = admin.get(&format!("{}&action={action}", id(CONFIRM, "project/two"))).await;
        assert_eq!(page.status, 200);
        admin.post(CONFIRM, &page.form(CONFIRM)).await
    };
    let reset = ask(&mut admin, "reset").await;
    let token = site.auth.directory().client("project/two").unwrap().record().access_token.clone();
    assert!(token.expose() != record.access_token.expose() && reset.text.contains(token.expose()));
    let form = admin.get(&format!("{}&action=reset", id(CONFIRM, "project/two"))).await.form(CONFIRM);
    for (wrong, why) in [("soon<", "1 hour"), ("-1 hour", "1 hour"), ("8 days", "604800 seconds at most")] {
        let refused = admin.post(CONFIRM, &with(form.clone(), &[("overlap", wrong)])).await;
        let shown = wrong.replace('<', "&#60;");
        assert!(refused.status == 400 && refused.text.contains(why) && refused.text.contains(&shown), "{}", refused.text);
    }
    let kept = admin.post(CONFIRM, &with(form, &[("overlap", "1 hour")])).await;
    assert!(kept.text.contains("The old token works until"), "{}", kept.text);
    let old = || site.auth.directory().client("project/two").unwrap().record().old_token;
    assert_eq!(old().unwrap().token, token);
    let page = admin.get(&id("/auth/clients", "project/two")).await;
    assert!(page.text.contains("Old access token") && page.text.contains("action=end-old-token"), "{}", page.text);
    const ENDED: &str = "/auth/clients?id=project%2Ftwo&done=old-token-ended";
    assert_eq!(ask(&mut admin, "end-old-token").await.location(), ENDED);
    let page = admin.get(ENDED).await;
    assert!(page.text.contains("The old access token was ended") && !page.text.contains("action=end-old-token"), "{}", page.text);
    assert_eq!(old(), None);
    const REVOKED: &str = "/auth/clients?id=project%2Ftwo&done=revoked";
    assert_eq!(ask(&mut admin, "revoke-certificates").await.location(), REVOKED);
    let revoked = || site.auth.directory().client("project/two").unwrap().record().revoked;
    assert!(revoked().before_ms.is_some() && revoked().seeds.is_empty());
    let form = admin.get(&format!("{}&action=revoke-certificates", id(CONFIRM, "project/two"))).await.form(CONFIRM);
    let seed = "0123456789012345678901234567890123456789abcd";
    assert_eq!(admin.post(CONFIRM, &with(form.clone(), &[("seed", seed)])).await.location(), REVOKED);
    let page = admin.get(REVOKED).await;
    assert!(page.text.contains("The temporary credentials were revoked") && page.text.contains(seed), "{}", page.text);
    assert_eq!(revoked().seeds.len(), 1);
    let wrong = admin.post(CONFIRM, &with(form, &[("seed", "no<seed")])).await;
    assert!(wrong.status == 400 && wrong.text.contains("44 characters") && wrong.text.contains("no&#60;seed"), "{}", wrong.text);
    assert_eq!(ask(&mut admin, "disable").await.location(), "/auth/clients?id=project%2Ftwo&done=disabled");
    let page = admin.get("/auth/clients?id=project%2Ftwo&done=disabled").await;
    assert!(page.text.contains("The client was disabled") && page.text.contains("action=enable"), "{}", page.text);
    assert_eq!(ask(&mut admin, "enable").await.location(), "/auth/clients?id=project%2Ftwo&done=enabled");
    assert!(!site.auth.directory().client("project/two").unwrap().record().disabled);
    assert_eq!(ask(&mut admin, "delete").await.location(), "/auth/clients?done=deleted");
    assert!(site.auth.directory().client("project/two").is_none());
    assert_eq!(admin.get(&format!("{}&action=explode", id(CONFIRM, "project/one"))).await.status, 400);
}

#[tokio::test]
async fn an_edit_keeps_what_nobody_touched() {
    let site = site().await;
    let mut admin = admin(&site).await;
    let form = admin.get(&id(CLIENT_FORM, "project/one")).await.form(CLIENT_FORM);
    let field = |name: &str| form.iter().find(|(key, _)| key == name).unwrap().1.clone();
    assert_eq!((field("scopes"), field("description")), ("notes:read:a\nqueue:ping".to_owned(), "two\nlines".to_owned()));
    let before = site.auth.directory().client("project/one").unwrap().record();
    let saved = admin.post(CLIENT_FORM, &with(form, &[("do", "save")])).await;
    assert_eq!(saved.location(), "/auth/clients?id=project%2Fone&done=saved");
    let after = site.auth.directory().client("project/one").unwrap().record();
    assert_eq!((after.scopes, after.expires_us, after.description), (before.scopes, before.expires_us, before.description));
    assert!(after.delete_on_expiration);
}

#[tokio::test]
async fn what_is_wrong_stands_beside_what_was_typed() {
    let site = site().await;
    let mut admin = admin(&site).await;
    let form =
        with(admin.get("/auth/clients/add").await.form(CLIENT_FORM), &[("id", "x/y"), ("description", "kept"), ("scopes", "notes:x")]);
    let long = "x".repeat(10_241);
    for (changes, status, text) in [
        (&[("id", "a b")][..], 422, "A clientId has at least one character"),
        (&[("scopes", "notes:é")], 422, "<code>notes:é</code> is not a scope"),
        (&[("scopes", "a\nb\na")], 422, "<code>a</code> stands there twice"),
        (&[("scopes", "a**")], 400, "scopes must not end with <code>**</code>"),
        (&[("scopes", "secret:x")], 403, "<code>secret:x</code>"),
        (&[("expires", "soon")], 422, "<code>soon</code> is no end"),
        (&[("expires", "9999 years")], 422, "is no end"),
        (&[("id", "static/x")], 400, "reserved for statically configured clients"),
        (&[("id", "project/one")], 409, "Client already exists"),
    ] {
        let page = admin.post(CLIENT_FORM, &with(form.clone(), changes)).await;
        assert_eq!(page.status, status, "{changes:?} {}", page.text);
        assert!(page.text.contains(text) && page.text.contains("kept"), "{changes:?} {}", page.text);
        assert!(page.text.contains(&format!("value=\"{}\"", changes[0].1)) || changes[0].0 == "scopes", "{changes:?} {}", page.text);
    }
    assert_eq!(admin.post(CLIENT_FORM, &with(form, &[("description", &long)])).await.status, 422);
    let form = with(admin.get("/auth/roles/add").await.form(ROLE_FORM), &[("id", "inner"), ("scopes", "assume:outer")]);
    let page = admin.post(ROLE_FORM, &form).await;
    assert!(page.status == 409 && page.text.contains("already exists"), "{}", page.text);
    let form = with(admin.get(&id(ROLE_FORM, "inner")).await.form(ROLE_FORM), &[("scopes", "assume:outer")]);
    let page = admin.post(ROLE_FORM, &form).await;
    assert!(matches!(page.status.as_u16(), 400 | 403), "{}", page.text);
    assert_eq!(site.auth.directory().role("inner").unwrap().scopes, ["notes:read:*"]);
}

#[tokio::test]
async fn a_plan_comes_before_the_change() {
    let site = site().await;
    let mut admin = admin(&site).await;
    let change = [("scopes", "notes:read:*\nqueue:ping"), ("description", "new"), ("do", "plan")];
    let form = with(admin.get(&id(ROLE_FORM, "inner")).await.form(ROLE_FORM), &change);
    let revision = site.auth.revision();
    let plan = admin.post(ROLE_FORM, &form).await;
    assert_eq!((plan.status.as_u16(), site.auth.revision()), (200, revision));
    for part in ["<h3>1 role</h3>", "<code>outer</code>", "gains 1 scope", "<h3>No clients</h3>", "<h3>No people</h3>"] {
        assert!(plan.text.contains(part), "{part}: {}", plan.text);
    }
    let fields = plan.form(ROLE_FORM);
    let back = admin.post(ROLE_FORM, &with(fields.clone(), &[("do", "back")])).await;
    assert!(back.text.contains("notes:read:*\nqueue:ping</textarea>") && back.text.contains("new</textarea>"), "{}", back.text);
    let saved = admin.post(ROLE_FORM, &with(fields, &[("do", "save")])).await;
    assert_eq!(saved.location(), "/auth/roles?id=inner&done=saved");
    assert_eq!(site.auth.directory().role("inner").unwrap().scopes, ["notes:read:*", "queue:ping"]);

    let page = admin.get(&id("/auth/roles/confirm", "inner")).await;
    assert!(page.text.contains("loses 2 scopes") && page.text.contains("Delete role"), "{}", page.text);
    let gone = admin.post("/auth/roles/confirm", &page.form("/auth/roles/confirm")).await;
    assert_eq!(gone.location(), "/auth/roles?done=deleted");
    assert!(site.auth.directory().role("inner").is_none());

    let form = with(admin.get(&id(CLIENT_FORM, "project/one")).await.form(CLIENT_FORM), &[("scopes", "notes:*"), ("do", "plan")]);
    let plan = admin.post(CLIENT_FORM, &form).await;
    assert!(plan.text.contains("<code>notes:*</code>") && plan.text.contains("<code>queue:ping</code>"), "{}", plan.text);
    assert!(admin.post(CLIENT_FORM, &with(plan.form(CLIENT_FORM), &[("do", "save")])).await.status.is_redirection());
    assert_eq!(site.auth.directory().client("project/one").unwrap().record().scopes, ["notes:*"]);
}

#[tokio::test]
async fn what_somebody_else_changed_is_not_overwritten_silently() {
    let site = site().await;
    let mut admin = admin(&site).await;
    let mine = with(admin.get(&id(ROLE_FORM, "inner")).await.form(ROLE_FORM), &[("scopes", "notes:mine")]);
    let confirm = admin.get(&id("/auth/roles/confirm", "inner")).await.form("/auth/roles/confirm");
    site.clock.0.fetch_add(1000, Ordering::SeqCst);
    let theirs = RoleInput { scopes: vec!["notes:theirs".to_owned()], description: String::new() };
    site.auth.update_role(&Authentication::person("local/admin"), "inner", &theirs).await.unwrap();
    let page = admin.post(ROLE_FORM, &mine).await;
    assert_eq!(page.status, 409);
    assert!(page.text.contains("was changed after you opened this page") && page.text.contains("notes:mine</textarea>"), "{}", page.text);
    assert_eq!(admin.post("/auth/roles/confirm", &confirm).await.status, 409);
    assert_eq!(site.auth.directory().role("inner").unwrap().scopes, ["notes:theirs"]);
    // Who saves again has been told.
    assert!(admin.post(ROLE_FORM, &page.form(ROLE_FORM)).await.status.is_redirection());
    assert_eq!(site.auth.directory().role("inner").unwrap().scopes, ["notes:mine"]);

    let mine = with(admin.get(&id(CLIENT_FORM, "project/one")).await.form(CLIENT_FORM), &[("scopes", "notes:mine")]);
    site.auth.delete_client(&Authentication::person("local/admin"), "project/one").await.unwrap();
    let page = admin.post(CLIENT_FORM, &mine).await;
    assert!(page.status == 404 && page.text.contains("You can create it anew"), "{}", page.text);
    assert_eq!(admin.post(CLIENT_FORM, &page.form(CLIENT_FORM)).await.status, 200);
    assert_eq!(site.auth.directory().client("project/one").unwrap().record().scopes, ["notes:mine"]);
}

#[tokio::test]
async fn who_may_not_is_told_what_is_missing() {
    let site = site().await;
    drop(admin(&site).await);
    let revision = site.auth.revision();
    let mut reader = site.somebody("reader", READER).await;
    let page = reader.get("/auth/clients?id=project%2Fone").await;
    assert!(page.status == 200 && page.text.contains("<code>auth:audit-history:client</code>"), "{}", page.text);
    let form = reader.get(&id(CLIENT_FORM, "project/one")).await.form(CLIENT_FORM);
    for what in ["save", "plan"] {
        let page = reader.post(CLIENT_FORM, &with(form.clone(), &[("do", what)])).await;
        assert!(page.status == 403 && page.text.contains("<code>auth:update-client:project/one</code>"), "{what} {}", page.text);
    }
    for (action, scope) in [
        ("reset", "auth:reset-access-token:project/one"),
        ("disable", "auth:disable-client:project/one"),
        ("enable", "auth:enable-client:project/one"),
        ("delete", "auth:delete-client:project/one"),
    ] {
        let answer = reader.get(&format!("{}&action={action}", id("/auth/clients/confirm", "project/one"))).await;
        let page = reader.post("/auth/clients/confirm", &answer.form("/auth/clients/confirm")).await;
        assert!(page.status == 403 && page.text.contains(&format!("<code>{scope}</code>")), "{action} {}", page.text);
    }
    assert_eq!(reader.get(&id("/auth/roles/confirm", "inner")).await.status, 403);
    let mut ann = site.ann().await;
    for path in ["/auth/clients/edit?id=project%2Fone", "/auth/roles/edit?id=inner", "/auth/clients/confirm?id=project%2Fone&action=reset"]
    {
        let page = ann.get(path).await;
        assert!(page.status == 403 && page.text.contains("auth:get-"), "{path} {}", page.text);
    }
    // Signed in, but from elsewhere or without the token: nothing is done. Not signed in: the way leads back.
    let mut admin = site.somebody("second", ADMIN).await;
    let before = site.auth.revision();
    let form = admin.get(&id(CLIENT_FORM, "project/one")).await.form(CLIENT_FORM);
    assert_eq!(admin.post(CLIENT_FORM, &with(form.clone(), &[("csrf", "")])).await.status, 403);
    let elsewhere = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    assert_eq!(admin.send(Method::POST, CLIENT_FORM, &elsewhere, Some(encode(&form))).await.status, 403);
    assert_eq!(site.auth.revision(), before);
    assert!(revision < before, "accounts are written down");
    let to = site.browser().get("/auth/roles/edit?id=a%2Fb").await;
    assert_eq!(to.location(), "/login?next=%2Fauth%2Froles%2Fedit%3Fid%3Da%252Fb");
}

#[tokio::test]
async fn any_id_has_its_pages() {
    let site = site().await;
    let mut admin = admin(&site).await;
    let odd = "my role/ (x) %41?a=b#c \"'<&>";
    let form = with(admin.get("/auth/roles/add").await.form(ROLE_FORM), &[("id", odd), ("scopes", "notes:x")]);
    let created = admin.post(ROLE_FORM, &form).await;
    let page = admin.get(created.location()).await;
    assert!(page.status == 200 && page.text.contains("Saved."), "{}", page.text);
    let href = page.text.split("href=\"/auth/roles/edit").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let form = with(admin.get(&format!("{ROLE_FORM}{href}")).await.form(ROLE_FORM), &[("scopes", "notes:y")]);
    assert!(admin.post(ROLE_FORM, &form).await.status.is_redirection());
    assert_eq!(site.auth.directory().role(odd).unwrap().scopes, ["notes:y"]);
}
