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
                error: Some("redirect_uris: `http://example.com/`: it must be https.".to_owned()),
                ..application_form()
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
            seen_ms: Some(1_796_000_000_000),
        },
        back: "/auth/applications?id=wiki".to_owned(),
        error: None,
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
