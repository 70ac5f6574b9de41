//! Applications: one, the form, a secret.

use super::*;

/// Name and HTML of each.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    vec![
        ("application", page(&application())),
        (
            "application-of-others",
            page(&ApplicationPage {
                actions: vec![],
                notice: None,
                description: String::new(),
                history: RecordHistory::default(),
                ..application()
            }),
        ),
        ("application-form", page(&application_form())),
        (
            "application-form-new",
            page(&ApplicationFormPage {
                draft: ApplicationDraft { seen_ms: None, ..application_form().draft },
                error: Some("Redirect URIs: `http://example.com/`: it must be https.".to_owned()),
                wrong_field: Some("redirect_uris"),
                ..application_form()
            }),
        ),
        (
            "grant-registered-itself",
            page(&GrantPage {
                site: Site {
                    before: "agent.".to_owned(),
                    registered_itself: Some(RegisteredItself {
                        id: "registered-0123456789abcdefghijkl".to_owned(),
                        name: "Helpful <agent>".to_owned(),
                        at: "1 August 2026, 12:00 UTC".to_owned(),
                    }),
                    ..granting::grant().site
                },
                description: String::new(),
                ..granting::grant()
            }),
        ),
        ("initial-tokens", page(&initial_tokens())),
        (
            "initial-tokens-none",
            page(&InitialTokensPage {
                tokens: vec![],
                notice: Some("Revoked. What was registered with it stays."),
                is_on: false,
                may_create: false,
                ..initial_tokens()
            }),
        ),
        (
            "initial-token",
            page(&InitialTokenPage {
                layout: signed_in(),
                href: "/auth/applications/tokens",
                endpoint: "https://auth.example.com/login/oauth/register".to_owned(),
                id: "agents".to_owned(),
                token: falconer_auth::Secret::new("falconer_it_example".to_owned()),
                expires: "2026-12-01 00:00 UTC".to_owned(),
            }),
        ),
        ("application-secret", page(&secret(None))),
        ("application-secret-overlap", page(&secret(Some("2026-12-01 00:00 UTC".to_owned())))),
    ]
}

pub(super) fn application() -> ApplicationPage {
    ApplicationPage {
        layout: signed_in(),
        lists: vec![("/auth/clients", "Clients")],
        notice: Some("Saved."),
        id: "wiki".to_owned(),
        name: "The wiki".to_owned(),
        description: "Of the company".to_owned(),
        facts: vec![("Kind", "confidential".to_owned()), ("Longest grant", "8 hours".to_owned())],
        redirect_uris: strings(&["https://wiki.example.com/callback", "http://127.0.0.1/callback"]),
        scopes: strings(&["notes:read:*", "notes:write:wiki"]),
        actions: vec![
            ("/auth/applications/edit?id=wiki".to_owned(), "Edit", false),
            ("/auth/applications/confirm?id=wiki&action=delete".to_owned(), "Delete", true),
        ],
        history: RecordHistory { needs: Some("auth:audit-history:application".to_owned()), ..RecordHistory::default() },
    }
}

fn initial_tokens() -> InitialTokensPage {
    InitialTokensPage {
        layout: signed_in(),
        csrf: "cc".to_owned(),
        lists: vec![("/auth/applications", "Applications")],
        notice: None,
        is_on: true,
        tokens: vec![InitialTokenRow {
            id: "agents".to_owned(),
            description: "For <agents>".to_owned(),
            scopes: strings(&["notes:read:*"]),
            used: "3 of 20".to_owned(),
            expires: "2026-12-01 00:00 UTC".to_owned(),
            max_life: "7 days".to_owned(),
            created_by: "local/ann".to_owned(),
            owner: String::new(),
        }],
        may_create: true,
        may_revoke: true,
        draft: InitialTokenDraft { id: "more".to_owned(), scopes: "notes:read:*".to_owned(), ..InitialTokenDraft::default() },
        error: Some("There is an initial access token more.".to_owned()),
        wrong_field: None,
    }
}

pub(super) fn application_form() -> ApplicationFormPage {
    ApplicationFormPage {
        layout: signed_in(),
        csrf: "cc".to_owned(),
        draft: ApplicationDraft {
            id: "wiki".to_owned(),
            name: "The wiki".to_owned(),
            description: String::new(),
            owner: "local/ann".to_owned(),
            redirect_uris: "https://wiki.example.com/callback".to_owned(),
            scopes: "notes:read:*\nnotes:write:wiki".to_owned(),
            max_life: "8 hours".to_owned(),
            confidential: true,
            remember_consent: "30 days".to_owned(),
            skip_consent: false,
            pushed_only: true,
            id_token_alg: "EdDSA".to_owned(),
            dpop_bound_access_tokens: false,
            jwks: "{\"keys\": [{\"kid\": \"<1>\"}]}".to_owned(),
            agent: true,
            backchannel_logout_uri: "https://wiki.example.com/signed-out".to_owned(),
            seen_ms: Some(1_796_000_000_000),
        },
        back: "/auth/applications?id=wiki".to_owned(),
        error: None,
        wrong_field: None,
    }
}

fn secret(old_ends: Option<String>) -> ApplicationSecretPage {
    ApplicationSecretPage {
        layout: signed_in(),
        id: "wiki".to_owned(),
        href: "/auth/applications?id=wiki".to_owned(),
        secret: falconer_auth::Secret::new("falconer_as_example"),
        old_ends,
    }
}
