//! The pages that look into things.

use super::*;

/// Name and HTML of each.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    vec![
        ("audit", page(&audit())),
        ("audit-nothing", page(&AuditPage { rows: vec![], next: None, kinds: Some(strings(&["role"])), actor: String::new(), ..audit() })),
        ("audit-stopped", page(&AuditPage { rows: vec![], stopped: true, ..audit() })),
        (
            "audit-wrong",
            page(&AuditPage { rows: vec![], next: None, error: Some("A day is written like `2026-08-31`.".to_owned()), ..audit() }),
        ),
        ("explain", page(&refusals())),
        (
            "explain-nothing",
            page(&RefusalsPage { explained: None, rows: vec![], error: Some("It remembers none.".to_owned()), ..refusals() }),
        ),
        ("registries", page(&registries())),
        ("registries-none", page(&RegistriesPage { rows: vec![], notice: Some("Deleted."), ..registries() })),
        ("scopes", page(&scopes())),
        (
            "scopes-empty",
            page(&ScopesPage {
                expanded: None,
                evaluation: None,
                holders: vec![],
                error: Some("`é` is not a scope.".to_owned()),
                ..scopes()
            }),
        ),
    ]
}

fn others() -> Vec<(&'static str, &'static str)> {
    vec![("/auth/clients", "Clients"), ("/auth/roles", "Roles"), ("/auth/people", "People")]
}

fn registries() -> RegistriesPage {
    let row = RegistryRow {
        namespace: "notes".to_owned(),
        href: "/auth/scope-registries?namespace=notes".to_owned(),
        delete: Some("/auth/scope-registries/confirm?id=notes".to_owned()),
        count: "2 sentences".to_owned(),
        published_by: "services/<notes>".to_owned(),
        created: "2026-08-01 12:00 UTC".to_owned(),
        changed: "2 hours ago".to_owned(),
        is_configured: false,
        sentences: vec![
            ("notes:read:<book>".to_owned(), "Read what is in the book <book>".to_owned(), false),
            ("notes:destroy:<book>".to_owned(), "Destroy the book <book>, for ever".to_owned(), true),
        ],
    };
    let unused = RegistryRow { namespace: "queue".to_owned(), delete: None, is_configured: true, sentences: vec![], ..row.clone() };
    RegistriesPage { layout: signed_in(), lists: others(), notice: None, rows: vec![row, unused] }
}

pub(super) fn audit() -> AuditPage {
    let row = AuditRow {
        at: "2026-08-01 12:00 UTC".to_owned(),
        at_machine: "2026-08-01T12:00:00Z".to_owned(),
        revision: 4711,
        who: "local/ann".to_owned(),
        grant: None,
        what: "updated".to_owned(),
        kind: "role".to_owned(),
        id: "project:<b>zap</b>".to_owned(),
        href: Some("/auth/roles?id=project%3A".to_owned()),
        added: strings(&["notes:read:*", "queue:<i>"]),
        removed: strings(&["notes:write:*"]),
        more: 17,
        changed: vec![
            ("Description".to_owned(), Some("Before".to_owned()), "<b>After</b>".to_owned()),
            ("disabled".to_owned(), None, "[\"a\"]".to_owned()),
        ],
    };
    let plain =
        AuditRow { grant: Some("g".repeat(22)), href: None, added: vec![], removed: vec![], changed: vec![], more: 0, ..row.clone() };
    AuditPage {
        layout: signed_in(),
        others: others(),
        actor: "local/<ann>".to_owned(),
        kind: "role".to_owned(),
        id: String::new(),
        action: String::new(),
        from: "2026-08-01".to_owned(),
        until: String::new(),
        kinds: None,
        rows: vec![row, plain],
        next: Some("/auth/audit?before=7".to_owned()),
        stopped: false,
        error: None,
    }
}

pub(super) fn refusals() -> RefusalsPage {
    let row = RefusalRow {
        href: "/auth/explain?id=x".to_owned(),
        reason: "scopes-missing",
        who: Some("project/<zap>".to_owned()),
        is_proved: true,
        request: "GET /api/books/<1>".to_owned(),
        site: "notes.example.com:443".to_owned(),
        by: "check",
        at: "2 minutes ago".to_owned(),
        at_machine: "2026-08-01T12:00:00Z".to_owned(),
    };
    let claimed = RefusalRow { reason: "bad-mac", is_proved: false, ..row.clone() };
    RefusalsPage {
        layout: signed_in(),
        others: others(),
        id: "x".repeat(22),
        explained: Some(ExplainedView {
            id: "x".repeat(22),
            verdict: "project/zap does not have the scopes.".to_owned(),
            reason: "scopes-missing".to_owned(),
            facts: vec![("Refused", "2026-08-01T12:00:00.000Z by check".to_owned()), ("Missing", "notes:read:blue".to_owned())],
            hints: vec!["There is no client `a<b>`.".to_owned()],
            roles: vec![
                (Some("/auth/roles?id=readers".to_owned()), "readers".to_owned(), "notes:read:*".to_owned(), "notes:read:blue".to_owned()),
                (None, "others".to_owned(), "notes:read:blue".to_owned(), "notes:read:blue".to_owned()),
            ],
        }),
        rows: vec![row, claimed],
        error: None,
    }
}

pub(super) fn scopes() -> ScopesPage {
    let row = |scope: &str, is_held, given: Option<&str>, roles: &[(&str, &str)]| EvaluatedScopeRow {
        scope: scope.to_owned(),
        is_held,
        given: given.map(str::to_owned),
        roles: roles.iter().map(|(role, gives)| (format!("/auth/roles?id={role}"), (*role).to_owned(), (*gives).to_owned())).collect(),
    };
    let holder = HolderRow {
        href: "/auth/clients?id=a".to_owned(),
        id: "project/<a>".to_owned(),
        note: "disabled",
        why: Some("/auth/scopes".to_owned()),
    };
    let holders = |title, rows: Vec<HolderRow>, needs: Option<&str>, stopped| Holders {
        title,
        rows,
        needs: needs.map(str::to_owned),
        more: (title == "Clients").then(|| "/auth/clients?scope=x".to_owned()),
        stopped,
        failed: false,
    };
    ScopesPage {
        layout: signed_in(),
        others: others(),
        given: "assume:everybody\n<b>".to_owned(),
        required: "notes:read:blue".to_owned(),
        scope: "notes:read:blue".to_owned(),
        expanded: Some(vec![Family { service: "notes".to_owned(), scopes: strings(&["notes:read:*"]) }]),
        evaluation: Some(ScopeEvaluationView {
            is_satisfied: false,
            missing: Some("x".to_owned()),
            rows: vec![
                row("notes:read:blue", true, Some("assume:everybody"), &[("everybody", "assume:readers"), ("readers", "notes:read:*")]),
                row("queue:ping", true, Some("queue:*"), &[]),
                row("deep", true, None, &[]),
                row("x", false, None, &[]),
            ],
        }),
        holders: vec![
            holders("Clients", vec![holder], None, true),
            holders("Roles", vec![], None, false),
            holders("People", vec![], Some("auth:list-people"), false),
        ],
        error: None,
    }
}
