use falconer_client::Method;
use falconer_scopes::Expression;

/// One request that the operator named, and what it needs.
#[derive(Clone, Debug)]
pub struct Route {
    /// In upper case.
    pub method: Method,
    /// Path and query as they are sent.
    pub resource: String,
    /// What it needs.
    pub access: Access,
    /// What is sent along.
    pub body: Option<Body>,
    /// Only this person may: the rest of a scope behind `assume:`, such as `mozilla-user:ann@example.com`.
    pub person: Option<String>,
    /// Doing it twice is the same as doing it once.
    pub repeatable: bool,
}

/// What a route needs.
#[derive(Clone, Debug)]
pub enum Access {
    /// Nothing: everybody may.
    Public,
    /// Scopes.
    Needs(Expression),
}

/// The body of a request.
#[derive(Clone, Debug)]
pub struct Body {
    /// Such as `application/json`.
    pub content_type: String,
    /// As it is sent.
    pub bytes: Vec<u8>,
}

impl Route {
    /// The path without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.resource.split('?').next().unwrap_or_default()
    }

    /// Whether it only reads, by its method.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.resource)
    }
}
