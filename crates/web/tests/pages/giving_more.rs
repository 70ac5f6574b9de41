//! What an administrator gives somebody else on a page waits for a fresh sign-in, and what gives nobody more does not.

use crate::signing_in_again::later;
use crate::site::{PASSWORD, START_MS, site, with};
use falconer_auth::{Authentication, ClientInput, DAY_MS, RoleInput};
use http::StatusCode;

const EDIT_BOB: &str = "/auth/people/edit?id=local%2Fbob";

/// The console made clients, invitations and links for passwords for whoever sat at a browser that somebody had left.
#[tokio::test]
async fn a_new_client_an_invitation_and_a_link_wait_too() {
    let site = site().await;
    let mut cleo = site.somebody("cleo", &["auth:*", "assume:local-group:new"]).await;
    drop(site.somebody("bob", &[]).await);
    let person = Authentication::person("local/cleo");
    let input =
        ClientInput { expires_us: (START_MS + DAY_MS) * 1000, description: String::new(), scopes: None, delete_on_expiration: false };
    for id in ["robots/old", "robots/off"] {
        site.auth.create_client(&person, id, &input).await.unwrap();
    }
    site.auth.disable_client(&person, "robots/off").await.unwrap();
    site.auth.create_role(&person, "crew", &RoleInput { scopes: Vec::new(), description: String::new() }).await.unwrap();
    drop(site.somebody("stopped", &[]).await);
    site.login.disable_whole_person(&person, "local/stopped").await.unwrap();
    let scopes = ("scopes", "auth:list-clients");
    let client = vec![("id", "robots/new"), ("expires", "1 day"), ("do", "save")];
    let somebody = vec![("name", "new"), ("display_name", "New"), ("do", "save")];
    let forms = [
        ("/auth/clients/add", "/auth/clients/edit", client, "The client was created"),
        ("/auth/people/add", "/auth/people/add", somebody, "They are invited"),
        ("/auth/people/confirm?id=local%2Fbob&action=reset", "/auth/people/confirm", vec![], "There is a link"),
        // A link for the password goes there.
        (EDIT_BOB, "/auth/people/edit", vec![("email", "cleo@example.com"), ("do", "save")], "done=saved"),
        (EDIT_BOB, "/auth/people/edit", vec![("groups", "new"), ("do", "save")], "done=saved"),
        (EDIT_BOB, "/auth/people/edit", vec![("scopes", "auth:list-clients"), ("do", "save")], "done=saved"),
        // Story: an account of theirs got it by a role, and a client of which they know the token, with nobody asked.
        ("/auth/roles/add", "/auth/roles/edit", vec![("id", "login-identity:local/bob"), scopes, ("do", "save")], "done=saved"),
        ("/auth/roles/edit?id=crew", "/auth/roles/edit", vec![scopes, ("do", "save")], "done=saved"),
        ("/auth/clients/edit?id=robots%2Fold", "/auth/clients/edit", vec![scopes, ("do", "save")], "done=saved"),
        ("/auth/clients/edit?id=robots%2Fold", "/auth/clients/edit", vec![("expires", "2 days"), ("do", "save")], "done=saved"),
        ("/auth/clients/confirm?id=robots%2Foff&action=enable", "/auth/clients/confirm", vec![], "done=enabled"),
        ("/auth/people/confirm?id=local%2Fstopped&action=enable", "/auth/people/confirm", vec![], "done=enable"),
    ];
    for (page, path, fields, shown) in forms {
        let form = with(cleo.get(page).await.form(path), &fields);
        later(&site);
        let revision = site.auth.revision();
        let repeated = cleo.post(path, &form).await;
        assert_eq!((repeated.status, site.auth.revision()), (StatusCode::FORBIDDEN, revision), "{path}: {}", repeated.text);
        let go_on = cleo.post("/me/again", &with(repeated.form("/me/again"), &[("password", PASSWORD)])).await;
        assert_eq!(site.auth.revision(), revision, "{path} waits for its button");
        let done = cleo.post(path, &go_on.form(path)).await;
        assert!(done.text.contains(shown) || done.header("location").ends_with(shown), "{path}: {}", done.text);
    }
    // What adds nothing does not ask, and whoever may not change it does not learn by this what it has.
    later(&site);
    for fields in [[("display_name", "Bob")], [("email", "")], [("scopes", "")]] {
        let form = with(with(cleo.get(EDIT_BOB).await.form("/auth/people/edit"), &fields), &[("do", "save")]);
        let revision = site.auth.revision();
        assert!(cleo.post("/auth/people/edit", &form).await.location().ends_with("done=saved"), "{fields:?}");
        assert!(site.auth.revision() > revision, "{fields:?}");
    }
    let mut rob = site.somebody("rob", &[]).await;
    later(&site);
    let form = with(cleo.get(EDIT_BOB).await.form("/auth/people/edit"), &[("email", "rob@example.com"), ("do", "save")]);
    let csrf = rob.get("/").await.form("/logout").into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    assert!(!rob.post("/auth/people/edit", &with(form, &[("csrf", &csrf)])).await.text.contains("/me/again"));
    // What gives nobody more does not ask.
    later(&site);
    for (page, path, fields) in [
        ("/auth/roles/edit?id=crew", "/auth/roles/edit", [("description", "They sail"), ("do", "save")]),
        ("/auth/roles/edit?id=crew", "/auth/roles/edit", [("scopes", ""), ("do", "save")]),
        ("/auth/clients/edit?id=robots%2Fold", "/auth/clients/edit", [("description", "Old"), ("do", "save")]),
        ("/auth/clients/edit?id=robots%2Fold", "/auth/clients/edit", [("scopes", ""), ("expires", "2026-08-02T11:00:00Z")]),
    ] {
        let form = with(with(cleo.get(page).await.form(path), &fields), &[("do", "save")]);
        assert!(cleo.post(path, &form).await.location().ends_with("done=saved"), "{path} {fields:?}");
    }
    // Whoever may not change it learns nothing by it.
    later(&site);
    let form = with(cleo.get("/auth/roles/edit?id=crew").await.form("/auth/roles/edit"), &[scopes, ("do", "save")]);
    let csrf = rob.get("/").await.form("/logout").into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    let refused = rob.post("/auth/roles/edit", &with(form, &[("csrf", &csrf)])).await;
    assert!(!refused.text.contains("/me/again") && refused.text.contains("auth:update-role:crew"), "{}", refused.text);
    let form = with(cleo.get("/auth/roles/add").await.form("/auth/roles/edit"), &[("id", "team"), ("do", "save")]);
    assert!(cleo.post("/auth/roles/edit", &form).await.location().ends_with("done=saved"));
    let edit = with(cleo.get("/auth/clients/edit?id=robots%2Fnew").await.form("/auth/clients/edit"), &[("do", "save")]);
    assert!(cleo.post("/auth/clients/edit", &edit).await.location().ends_with("done=saved"));
    let unlock = cleo.get("/auth/people/confirm?id=local%2Fbob&action=unlock").await.form("/auth/people/confirm");
    assert!(cleo.post("/auth/people/confirm", &unlock).await.location().ends_with("done=unlock"));
}
