//! Grants that were made, and what is asked for beyond one.

use falconer_grants::GRANT_REQUEST_PAGE;

use super::*;
use crate::pages::granting::Places;
use crate::pages::sign_in::reauthentication::KeptForm;

/// Name and HTML of each.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    vec![
        (
            "grant-more",
            page(&GrantPage {
                places: Places { page: GRANT_REQUEST_PAGE, form: KeptForm::GrantRequest, cancel: GRANT_REQUEST_PAGE },
                confirm: None,
                description: String::new(),
                more: Some(widened()),
                ..grant()
            }),
        ),
        (
            "grant-more-time",
            page(&GrantPage {
                confirm: None,
                groups: vec![],
                more: Some(WidenedGrant { only_time: true, chain: vec![], called: Some("My <laptop>".to_owned()), ..widened() }),
                ..grant()
            }),
        ),
        ("grants", page(&grants())),
        ("grants-of-everybody", page(&GrantsPage { everybody: true, notice: None, waiting: vec![], unasked: vec![], ..grants() })),
        ("grants-none", page(&GrantsPage { sites: vec![], total: 0, ..grants() })),
    ]
}

fn widened() -> WidenedGrant {
    WidenedGrant {
        reason: "The minutes of <today> belong into the book red, and I can only read it".to_owned(),
        since: "2 minutes ago".to_owned(),
        asked_at: "1 August 2026, 12:00 UTC".to_owned(),
        granted: "1 hour ago".to_owned(),
        ends: "in 5 hours".to_owned(),
        purpose: Some("Sum up the book <red>".to_owned()),
        gives: falconer_grants::ScopeWords::default().group(["notes:read:red"]),
        chain: vec![
            AboveGrant { granted: "2 hours ago".to_owned(), purpose: Some("Tidy up".to_owned()), called: None },
            AboveGrant { granted: "3 hours ago".to_owned(), purpose: None, called: Some("My <laptop>".to_owned()) },
        ],
        ..WidenedGrant::default()
    }
}

fn grants() -> GrantsPage {
    let row = GrantsRow {
        id: "g1".to_owned(),
        called: Some("My <laptop>".to_owned()),
        gives: falconer_grants::ScopeWords::default().group(["notes:read:zap/*", "assume:local-group:zap"]),
        count: 104,
        more: 102,
        knows_identity: true,
        tells_groups: true,
        ends: "in 3 days".to_owned(),
        ends_exact: "5 March 2026, 17:05 UTC".to_owned(),
        ends_machine: "2026-03-05T17:05:00Z".to_owned(),
        used: "used 2 minutes ago".to_owned(),
        created: "1 hour ago".to_owned(),
        clients: vec![
            ("local/ann/robot".to_owned(), Some("/auth/clients?id=local%2Fann%2Frobot".to_owned())),
            ("local/ann/job".to_owned(), None),
        ],
        ..GrantsRow::default()
    };
    let of_another = GrantsRow {
        person: Some(("local/ann".to_owned(), "/auth/people?id=local%2Fann".to_owned())),
        revoke_href: Some("/auth/people/confirm?id=local%2Fann&action=revoke&grant=g2".to_owned()),
        everything: true,
        ..row.clone()
    };
    GrantsPage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        everybody: false,
        lists: vec![],
        query: String::new(),
        total: 3,
        roles_to_review: strings(&["team:zap"]),
        sites: vec![
            SiteRows {
                site: "https://notes.example.com".to_owned(),
                name: Some("Notes".to_owned()),
                calls_itself: Some("The <helpful> agent".to_owned()),
                count: 2,
                rows: vec![row, of_another],
            },
            SiteRows { site: "http://localhost:8081".to_owned(), count: 1, rows: vec![GrantsRow::default()], ..SiteRows::default() },
        ],
        waiting: vec![WaitingRow {
            href: format!("{GRANT_REQUEST_PAGE}?id={}", "i".repeat(22)),
            site: "https://notes.example.com".to_owned(),
            name: Some("Notes".to_owned()),
            reason: "The minutes of <today> belong into it".to_owned(),
            wants: "2 scopes more".to_owned(),
            since: "2 minutes ago".to_owned(),
        }],
        unasked: vec![UnaskedRow {
            application: "dashboard".to_owned(),
            name: "Dashboard".to_owned(),
            site: "https://dashboard.example.com".to_owned(),
            gives: falconer_grants::ScopeWords::default().group(["notes:read:*"]),
            knows_identity: true,
            tells_groups: true,
            ends: "2026-08-31 12:00".to_owned(),
            ends_machine: "2026-08-31T12:00:00Z".to_owned(),
        }],
        next: Some("/me/grants?q=&from=g2".to_owned()),
        notice: Some("The grant was revoked. What the site got is worth nothing now."),
    }
}
