//! A client or a role as it is being written: the form, and what saving it would change.

use askama::Template;

use crate::views::Layout;
use crate::views::words;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Client,
    Role,
}

impl Kind {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Kind::Client => "/auth/clients",
            Kind::Role => "/auth/roles",
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Client => "client",
            Kind::Role => "role",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Kind::Client => "Client",
            Kind::Role => "Role",
        }
    }

    pub(crate) fn is_client(self) -> bool {
        self == Kind::Client
    }

    fn id_name(self) -> &'static str {
        match self {
            Kind::Client => "clientId",
            Kind::Role => "roleId",
        }
    }

    fn id_hint(self) -> &'static str {
        match self {
            Kind::Client => "Letters, digits and !@/:.+|_-. What begins with somebody's identity can do no more than they can.",
            Kind::Role => "A star at its end makes it a role for all that begins so.",
        }
    }

    fn scopes_hint(self) -> &'static str {
        match self {
            Kind::Client => "A star at the end of a scope stands for whatever follows.",
            Kind::Role => "In a role with a star, <..> stands for what the star stands for.",
        }
    }

    /// The page of one.
    pub(crate) fn href(self, id: &str) -> String {
        let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
        format!("{}?id={id}", self.path())
    }
}

/// As it stands in the form, right or wrong.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub kind: Kind,
    pub id: String,
    pub description: String,
    /// One a line.
    pub scopes: String,
    /// A time expression or an instant. Clients only.
    pub expires: String,
    pub delete_on_expiration: bool,
    /// When what is changed was last changed as its writer has seen it, in milliseconds since 1970; `None`: it is new.
    pub seen_ms: Option<i64>,
    /// When the form was first shown: time expressions count from there.
    pub shown_ms: i64,
    /// It is to be deleted.
    pub deletes: bool,
}

impl Draft {
    fn seen(&self) -> String {
        self.seen_ms.map(|ms| ms.to_string()).unwrap_or_default()
    }

    fn rows(&self) -> usize {
        self.scopes.lines().count().clamp(6, 24)
    }
}

#[derive(Template)]
#[template(path = "record_form.html")]
pub(crate) struct RecordFormPage {
    pub layout: Layout,
    pub csrf: String,
    pub draft: Draft,
    pub error: Option<String>,
    /// The field that the error is about.
    pub wrong_field: Option<&'static str>,
    /// Somebody else has changed it meanwhile.
    pub changed: bool,
}

impl RecordFormPage {
    fn title(&self) -> String {
        format!("{} {}", if self.draft.seen_ms.is_some() { "Edit" } else { "Create a" }, self.draft.kind.word())
    }

    fn href(&self) -> String {
        self.draft.kind.href(&self.draft.id)
    }

    fn is_wrong(&self, field: &str) -> bool {
        self.wrong_field == Some(field)
    }
}

#[derive(Template)]
#[template(path = "plan.html")]
pub(crate) struct PlanPage {
    pub layout: Layout,
    pub csrf: String,
    pub draft: Draft,
    /// Where Save leads.
    pub action: String,
    pub back: String,
    pub parts: Vec<Change>,
    pub affected: Vec<AffectedKind>,
}

/// Scopes that come and go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub title: String,
    pub added: Vec<String>,
    pub removed: Vec<String>,
}

impl Change {
    fn summary(&self) -> String {
        let gains = (!self.added.is_empty()).then(|| format!("gains {}", words::count(self.added.len(), "scope")));
        let loses = (!self.removed.is_empty()).then(|| format!("loses {}", words::count(self.removed.len(), "scope")));
        gains.into_iter().chain(loses).collect::<Vec<_>>().join(", ")
    }
}

/// Clients, roles or people whom the change reaches.
#[derive(Clone, Debug)]
pub(crate) struct AffectedKind {
    /// `client`, and `clients`.
    pub words: (&'static str, &'static str),
    pub count: usize,
    pub first: Vec<Change>,
    pub names_need: Option<&'static str>,
}

impl AffectedKind {
    fn title(&self) -> String {
        match self.count {
            0 => format!("No {}", self.words.1),
            1 => format!("1 {}", self.words.0),
            many => format!("{many} {}", self.words.1),
        }
    }
}

/// One question before something is done that can't be taken back, or is felt at once.
#[derive(Template)]
#[template(path = "confirm.html")]
pub(crate) struct ConfirmPage {
    pub layout: Layout,
    pub csrf: String,
    /// Of the form.
    pub path: String,
    pub id: String,
    pub action: String,
    pub question: String,
    pub consequence: String,
    pub button: String,
    pub dangerous: bool,
    pub back: String,
    pub field: Option<ConfirmField>,
    pub error: Option<String>,
}

/// What may be said beside the answer, or left empty.
pub(crate) struct ConfirmField {
    /// Of the form.
    pub name: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    /// What was typed before.
    pub value: String,
}
