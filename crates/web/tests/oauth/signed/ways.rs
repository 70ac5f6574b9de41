//! Each way in which a grant ends, or gives less: what `check` says then, and what those are told that verify by themselves.

use std::pin::Pin;

use super::ended::Service;
use super::{failed, for_resources, given, name, text, verdict};
use crate::registration::{asks, fetches, metadata, registered, with_token};
use crate::site::applications::{OFFLINE, all, authorization_fields, exchange, fields, offline_services, parameter};
use crate::site::{PASSWORD, Site, site, with};
use falconer_auth::{Authentication, RoleInput};
use falconer_grants::{GrantSettings, Registration};
use falconer_store::Store as _;
use http::{Method, StatusCode};
use serde_json::{Value, json};

const ANN: &str = "local/ann";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A grant of ann's, and what the application has of it.
struct Granted {
    id: String,
    code: String,
    refresh: String,
    token: String,
}

type Way = for<'a> fn(&'a Site, &'a Granted) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

async fn granted(site: &Site) -> Granted {
    let code = site.ann().await.code(&for_resources(authorization_fields(), &[OFFLINE])).await;
    let tokens = given(site.token(&exchange(&code)).await);
    let id = site.auth.directory().grants().next().unwrap().record.id.clone();
    Granted { id, code, refresh: text(&tokens, "refresh_token"), token: text(&tokens, "access_token") }
}

fn root() -> Authentication {
    Authentication::person("local/root")
}

/// Whoever makes roles.
fn maker() -> Authentication {
    Authentication::person("local/maker")
}

/// The application ends what it has, by one of its tokens.
async fn gives_back(site: &Site, token: &str) {
    let form = fields(&[("token", token), ("client_id", "page")]);
    assert_eq!(site.application("/login/oauth/revoke", &form, None).await.status, StatusCode::OK);
}

async fn refreshes(site: &Site, granted: &Granted, changes: &[(&str, &str)]) -> StatusCode {
    let form = fields(&[("grant_type", "refresh_token"), ("refresh_token", &granted.refresh), ("client_id", "page")]);
    site.token(&with(form, changes)).await.status
}

/// What each of them ends, ends at once.
const ENDS: [(&str, Way); 15] = [
    ("the person revokes it", |site, granted| {
        Box::pin(async {
            let mut ann = site.ann().await;
            let form = ann.get("/me/grants").await.form("/me/grants/revoke");
            assert!(ann.post("/me/grants/revoke", &with(form, &[("grant", &granted.id)])).await.status.is_redirection());
        })
    }),
    ("an administrator revokes it", |site, granted| {
        Box::pin(async {
            site.auth.revoke_grant_of_person("test", ANN, &granted.id, "").await.unwrap();
        })
    }),
    ("the person signs out everywhere, and takes back what was granted", |site, _| {
        Box::pin(async {
            let mut ann = site.ann().await;
            let form = ann.get("/").await.form("/me/signout-everywhere");
            assert!(ann.post("/me/signout-everywhere", &with(form, &[("revoke_grants", "yes")])).await.status.is_redirection());
        })
    }),
    ("another password is set, and what was granted is taken back", |site, _| {
        Box::pin(async {
            site.login.set_password("test", "ann", PASSWORD, true).await.unwrap();
        })
    }),
    ("the account is disabled", |site, _| {
        Box::pin(async {
            site.login.disable_account("test", "ann").await.unwrap();
        })
    }),
    ("the account is deleted", |site, _| {
        Box::pin(async {
            site.login.delete_account("test", "ann").await.unwrap();
        })
    }),
    ("the person is disabled", |site, _| {
        Box::pin(async {
            site.login.disable_person("test", ANN).await.unwrap();
        })
    }),
    ("the person is disabled by another identity", |site, _| {
        Box::pin(async {
            site.somebody("bob", &["notes:*"]).await;
            site.login.link_identity("test", "local/bob", ANN).await.unwrap();
            site.login.disable_person("test", "local/bob").await.unwrap();
        })
    }),
    ("the identity that it names is disabled, and another of the person is not", |site, _| {
        Box::pin(async {
            site.somebody("bob", &["notes:*"]).await;
            site.login.link_identity("test", "local/bob", ANN).await.unwrap();
            site.login.disable_account("test", "ann").await.unwrap();
        })
    }),
    ("the code is used twice", |site, granted| {
        Box::pin(async { assert_eq!(site.token(&exchange(&granted.code)).await.status, StatusCode::BAD_REQUEST) })
    }),
    ("the refresh token is used twice", |site, granted| {
        Box::pin(async {
            assert_eq!(refreshes(site, granted, &[]).await, StatusCode::OK);
            assert_eq!(refreshes(site, granted, &[]).await, StatusCode::BAD_REQUEST);
        })
    }),
    ("another application uses the refresh token", |site, granted| {
        Box::pin(async { assert_eq!(refreshes(site, granted, &[("client_id", "other")]).await, StatusCode::BAD_REQUEST) })
    }),
    ("the application gives the refresh token back", |site, granted| Box::pin(gives_back(site, &granted.refresh))),
    ("the application gives the access token back", |site, granted| Box::pin(gives_back(site, &granted.token))),
    ("the key of its issuer is replaced", |site, granted| {
        Box::pin(async {
            let issuer = site.store.grant(&granted.id).await.unwrap().unwrap().issuer;
            site.auth.repair_issuer(&issuer).await.unwrap();
        })
    }),
];

/// What each of them leaves of a grant that gave `notes:read:*`, at once at `check`: the feed says nothing, and no service that verifies by itself knows before the
/// token is over.
const TAKES: [(&str, Way); 3] = [
    ("the account loses a scope", |site, _| {
        Box::pin(async {
            site.login.set_scopes("test", "ann", &["notes:write:mine".to_owned()]).await.unwrap();
        })
    }),
    ("a role of the person loses a scope", |site, _| {
        Box::pin(async {
            site.auth.update_role(&maker(), "readers", &role(&[])).await.unwrap();
        })
    }),
    ("a role of the person is deleted", |site, _| {
        Box::pin(async {
            site.auth.delete_role(&maker(), "readers").await.unwrap();
        })
    }),
];

/// What takes nothing from a grant: `check` goes on allowing it, and so does whoever verifies by themselves.
const LEAVES: [(&str, Way); 5] = [
    ("the keys that sign are replaced", |site, _| {
        Box::pin(async {
            site.web.grants.rotate_signing_key(None).await.unwrap().unwrap();
        })
    }),
    ("another issuer signs new grants", |site, _| Box::pin(async { site.auth.rotate_issuer().await.unwrap() })),
    ("the person signs out", |site, _| {
        Box::pin(async {
            let mut ann = site.ann().await;
            let form = ann.get("/").await.form("/logout");
            ann.post("/logout", &form).await;
        })
    }),
    ("another password is set, and what was granted is left", |site, _| {
        Box::pin(async {
            site.login.set_password("test", "ann", PASSWORD, false).await.unwrap();
        })
    }),
    ("the root client is reset", |site, _| {
        Box::pin(async {
            site.auth.root_reset().await.unwrap();
        })
    }),
];

fn role(scopes: &[&str]) -> RoleInput {
    RoleInput { scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(), description: String::new() }
}

/// Story: where the key of an issuer was replaced, all that it had signed was refused at once, and those that verify by themselves never heard of it. In the lists those
/// grants counted.
#[tokio::test]
async fn whatever_ends_a_grant_is_told() {
    for (what, way) in ENDS {
        let site = site().await;
        let service = Service::offline(&site).await;
        let granted = granted(&site).await;
        let name = name(&site, &granted.token).await;
        assert_eq!(verdict(&site, &granted.token, "notes:read:red").await.0, "allowed", "{what}");
        way(&site, &granted).await;
        let (status, reason) = verdict(&site, &granted.token, "notes:read:red").await;
        assert_eq!(status, "failed", "{what}");
        assert_eq!(service.ended().await, [name], "{what}: {reason}");
        let kept = site.store.grant(&granted.id).await.unwrap().unwrap();
        assert!(kept.revoked_ms.is_some() && kept.revoked_by.is_some() && kept.reason.is_some(), "{what}: {kept:?}");
    }
}

#[tokio::test]
async fn what_takes_a_part_is_told_by_check_alone() {
    for (what, way) in TAKES {
        let site = site().await;
        let service = Service::offline(&site).await;
        site.somebody("maker", &["auth:*", "notes:*"]).await;
        site.auth.create_role(&maker(), "readers", &role(&["notes:read:*"])).await.unwrap();
        site.login.set_scopes("test", "ann", &["assume:readers", "notes:write:mine"].map(str::to_owned)).await.unwrap();
        let granted = granted(&site).await;
        assert_eq!(verdict(&site, &granted.token, "notes:read:red").await.0, "allowed", "{what}");
        way(&site, &granted).await;
        assert_eq!(verdict(&site, &granted.token, "notes:read:red").await, ("denied".to_owned(), "scopes-missing".to_owned()), "{what}");
        assert_eq!(service.ended().await, [] as [Value; 0], "{what}");
    }
}

#[tokio::test]
async fn what_takes_nothing_ends_nothing() {
    for (what, way) in LEAVES {
        let site = site().await;
        let service = Service::offline(&site).await;
        let granted = granted(&site).await;
        way(&site, &granted).await;
        assert_eq!(verdict(&site, &granted.token, "notes:read:red").await.0, "allowed", "{what}");
        assert_eq!(service.ended().await, [] as [Value; 0], "{what}");
    }
}

/// A signed part of a grant ends with what it is a part of, whoever ends that.
#[tokio::test]
async fn what_was_derived_is_told_with_what_it_came_from() {
    for by_its_holder in [false, true] {
        let site = site().await;
        let service = Service::offline(&site).await;
        let code = site.ann().await.code(&authorization_fields()).await;
        let whole = text(&given(site.token(&exchange(&code)).await), "access_token");
        let above = site.auth.directory().grants().next().unwrap().record.id.clone();
        let part = [("grant_type", EXCHANGE), ("subject_token", &whole), ("subject_token_type", ACCESS), ("client_id", "page")];
        let part = text(&given(site.token(&for_resources(fields(&part), &[OFFLINE])).await), "access_token");
        let name = name(&site, &part).await;
        if by_its_holder {
            let credentials = given(site.credentials(&whole).await)["credentials"].clone();
            let ended = site.signed(Method::POST, &credentials, "/api/falconer/v1/end-grant", &json!({})).await;
            assert_eq!(ended.status, StatusCode::OK, "{}", ended.text);
        } else {
            site.auth.revoke_grant_of_person("test", ANN, &above, "").await.unwrap();
        }
        assert_eq!(verdict(&site, &part, "notes:read:red").await, failed("grant-revoked"));
        assert!(service.ended().await.contains(&name), "{by_its_holder}");
    }
}

/// An application that has registered itself takes with it what it was granted; what an administrator has registered does not.
#[tokio::test]
async fn what_ends_with_an_application_is_told() {
    for by_itself in [false, true] {
        let (site, initial) = with_token(1).await;
        let settings = GrantSettings {
            registration: Registration::Token,
            applications: all(),
            offline_services: offline_services(),
            ..GrantSettings::default()
        };
        site.web.grants.reconfigure(settings).unwrap();
        let service = Service::offline(&site).await;
        let one = registered(&site.register(Some(&initial), &metadata()).await);
        let mut ann = site.ann().await;
        let location = ann.lets_at(&for_resources(asks(&one.id, &[]), &[OFFLINE]), "agent.example.com").await;
        let code = parameter(&location, "code").unwrap();
        let token = text(&given(site.token(&fetches(&one.id, &code, &[])).await), "access_token");
        let name = name(&site, &token).await;
        assert_eq!(verdict(&site, &token, "notes:read:red").await.0, "allowed");
        if by_itself {
            let deleted = site.registration(Method::DELETE, &one.path, Some(&one.token), None).await;
            assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{}", deleted.text);
        } else {
            site.web.grants.delete_application(&root(), &one.id, None).await.unwrap();
        }
        assert_eq!(verdict(&site, &token, "notes:read:red").await, failed("grant-revoked"), "{by_itself}");
        assert_eq!(service.ended().await, [name], "{by_itself}");
    }
}
