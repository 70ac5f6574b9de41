/// Why a service cannot be set up: the operator's or the author's to repair. `Display` is a whole sentence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The public origin is not one, such as `https://notes.example.com`.
    #[error("The public origin of this service cannot be used: {0}. It looks like https://notes.example.com.")]
    PublicOrigin(String),
    /// Falconer's root URL cannot be used.
    #[error("Falconer's root URL cannot be used: {0}. It looks like https://auth.example.com.")]
    RootUrl(#[source] falconer_client::Error),
    /// The scope expression of a route cannot be satisfied by anybody, or not be read.
    #[error("The scope expression {expression} cannot be used: {problem}.")]
    Expression {
        /// As it was given, JSON.
        expression: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A prefix of scopes that callers should show is none.
    #[error("The prefix `{prefix}` of scopes cannot be used: {problem}.")]
    Reveal {
        /// As it was given.
        prefix: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// What is listed among the origins whose pages may call is none.
    #[error("The origin `{origin}` of pages cannot be used: {problem}. It looks like https://notes.example.com.")]
    PageOrigin {
        /// As it was given.
        origin: String,
        /// What is wrong with it.
        problem: String,
    },
    /// What is said of the service to clients of OAuth 2 cannot be said.
    #[error("The protected resource cannot be used: {0}.")]
    ProtectedResource(String),
    /// The path of a route is not one.
    #[error("The path `{path}` of a route cannot be used: {problem}.")]
    Path {
        /// As it was given.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
}
