use falconer_wire::Code;

/// Why a request is not passed on, or its answer not given back.
#[derive(Debug)]
pub(super) enum Refused {
    /// The caller's: it comes from a browser.
    Browser,
    /// The caller's: a Host header that names something else.
    OtherHost(String),
    /// The caller's: not a path that can be passed on as it is. The text says why.
    Target(&'static str),
    /// The caller's: neither an API, nor a host, nor an address of the proxy itself.
    NoRoute,
    /// The caller's: a host or an origin that is not on the list.
    NotListed(String),
    /// The caller's: the URL carries a signature already.
    SignedAlready,
    /// The caller's: a method that is not for this address. The text names those that are.
    Method(&'static str),
    /// The caller's: a body that is too large to be hashed.
    BodyTooLarge { limit_bytes: usize },
    /// The caller's: a body that broke off, or did not come in time.
    BodyUnreadable,
    /// The caller's: a body of one of the proxy's own addresses. The text says what is wrong.
    BadBody(String),
    /// The operator's: nothing may replace the credentials.
    CredentialsClosed,
    /// The operator's: there are none.
    NoCredentials,
    /// The peer's: not reached. The text is the network's.
    Unreachable { origin: String, problem: String },
    /// The peer's: no answer in time.
    Silent { origin: String },
    /// Nobody's: the system has no randomness, or an address cannot be signed. The text is for the log.
    Ourselves(String),
}

impl Refused {
    pub(super) fn status(&self) -> u16 {
        match self {
            Refused::OtherHost(_) => 421,
            Refused::Method(_) => 405,
            Refused::Unreachable { .. } => 502,
            Refused::Silent { .. } => 504,
            Refused::Browser
            | Refused::Target(_)
            | Refused::NoRoute
            | Refused::NotListed(_)
            | Refused::SignedAlready
            | Refused::BodyTooLarge { .. }
            | Refused::BodyUnreadable
            | Refused::BadBody(_)
            | Refused::CredentialsClosed
            | Refused::NoCredentials
            | Refused::Ourselves(_) => self.code().status(),
        }
    }

    pub(super) fn code(&self) -> Code {
        match self {
            Refused::OtherHost(_)
            | Refused::Target(_)
            | Refused::SignedAlready
            | Refused::Method(_)
            | Refused::BodyUnreadable
            | Refused::BadBody(_) => Code::InputError,
            Refused::Browser | Refused::NotListed(_) | Refused::CredentialsClosed => Code::InsufficientScopes,
            Refused::NoRoute => Code::ResourceNotFound,
            Refused::BodyTooLarge { .. } => Code::InputTooLarge,
            Refused::NoCredentials => Code::AuthenticationFailed,
            Refused::Unreachable { .. } | Refused::Silent { .. } => Code::ServiceUnavailable,
            Refused::Ourselves(_) => Code::InternalServerError,
        }
    }

    /// A stable word.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Refused::Browser => "browser",
            Refused::OtherHost(_) => "other-host",
            Refused::Target(_) => "bad-target",
            Refused::NoRoute => "no-route",
            Refused::NotListed(_) => "host-not-listed",
            Refused::SignedAlready => "signed-already",
            Refused::Method(_) => "method",
            Refused::BodyTooLarge { .. } => "too-large",
            Refused::BodyUnreadable => "body-unreadable",
            Refused::BadBody(_) => "bad-request",
            Refused::CredentialsClosed => "credentials-closed",
            Refused::NoCredentials => "no-credentials",
            Refused::Unreachable { .. } => "unreachable",
            Refused::Silent { .. } => "no-answer",
            Refused::Ourselves(_) => "proxy-failed",
        }
    }

    /// For the caller, who is on this machine: it may know what was tried.
    pub(super) fn message(&self) -> String {
        match self {
            Refused::Browser => "A browser sent this request. The signing proxy is for programs only: any page that is open could use it otherwise.".to_owned(),
            Refused::OtherHost(host) => format!(
                "The request is for the host `{host}`, which is not a name of this proxy. Call it by its address or as localhost, or start it with --name {host}."
            ),
            Refused::Target(why) => format!("The address of the request can't be passed on: {why}."),
            Refused::NoRoute => {
                "There is nothing here. Write /api/<service>/<version>/<path> for a service of the root URL, or /<host>/<path> for a host that the proxy was started with."
                    .to_owned()
            }
            Refused::NotListed(host) => format!("Nothing is signed for {host}. The proxy would do it if it were started with --host https://{host}."),
            Refused::SignedAlready => "The address carries a signature already (bewit). Call it without the proxy.".to_owned(),
            Refused::Method(allowed) => format!("This address takes {allowed}."),
            Refused::BodyTooLarge { limit_bytes } => format!(
                "The body is larger than {limit_bytes} bytes, the most that the proxy keeps to sign its hash. Start it with a larger --body-limit, or with \
                 --stream-bodies, which passes larger ones on without a signed hash."
            ),
            Refused::BodyUnreadable => "The body broke off, or did not arrive in time.".to_owned(),
            Refused::BadBody(why) => why.clone(),
            Refused::CredentialsClosed => "The credentials of this proxy can't be replaced by a request. It was started without --accept-credentials.".to_owned(),
            Refused::NoCredentials => "The proxy has no credentials yet.".to_owned(),
            Refused::Unreachable { origin, problem } => format!("{origin} can't be reached: {problem}."),
            Refused::Silent { origin } => format!("{origin} did not answer in time."),
            Refused::Ourselves(_) => "The proxy could not sign this request. Its log says more.".to_owned(),
        }
    }
}
