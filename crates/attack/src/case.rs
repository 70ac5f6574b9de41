//! One route under attack: what an attack makes its requests from.

use falconer_client::Credentials;

use crate::callers::{Caller, Callers};
use crate::exchange::{Crafted, Signature};
use crate::place::{Access, Place, Route};

/// A route, its callers and the time.
pub(crate) struct Case<'a> {
    pub place: &'a Place,
    pub route: &'a Route,
    pub callers: &'a Callers,
    /// Whether the route answers everybody. No other attack on it says anything then.
    pub answers_anybody: bool,
    pub operator: Option<&'a Credentials>,
    /// A path that everybody may read.
    pub public: &'a str,
    pub now_ms: i64,
    /// Requests go over HTTP/2.
    pub http2: bool,
}

/// One request of an attack.
pub(crate) struct Try {
    /// Such as `signed for another host`; the report says it of a finding.
    pub how: String,
    /// Or why it could not be made.
    pub request: Result<Crafted, String>,
    pub expected: Expected,
}

/// How the answer counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Letting it in is a finding.
    Refuse,
    /// Letting it in is noted, and is no finding.
    Note,
    /// Letting it in is a finding, where the answer is what the caller that may gets.
    SameAnswer,
    /// It has to be let in, or the rest of the attack says nothing.
    Prepare,
    /// It has to be let in: the service still works.
    Works,
    /// It signs out: it has to be taken, with a page or with the way to one, or nothing after it is sent.
    SignOut,
    /// Pages of any origin may not use the browser's own credentials.
    Cors,
    /// Browsers keep nothing of it that scripts can read, that goes along from other sites, or that leaves TLS.
    Cookies {
        /// Requests go over TLS.
        https: bool,
    },
    /// The answer's own text and headers are looked at.
    Answer,
}

/// An attack that is not made on a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Skip {
    /// It does not apply to this route. Names the routes that it is for.
    OnlyFor(&'static str),
    /// It could not be tried. Says why.
    Untried(String),
}

pub(crate) type Tries = Result<Vec<Try>, Skip>;

impl Case<'_> {
    /// The caller that may, on a route that not everybody may use.
    pub fn allowed(&self) -> Result<&Caller, Skip> {
        self.guarded()?;
        self.callers.allowed.as_ref().map_err(|why| Skip::Untried(why.clone()))
    }

    /// Errors: a public route, or one whose scopes everybody has.
    pub fn guarded(&self) -> Result<(), Skip> {
        match self.route.access {
            Access::Public => Err(Skip::OnlyFor("routes that need a scope")),
            Access::Needs(_) if self.answers_anybody => Err(Skip::Untried("the route answers whoever asks".to_owned())),
            Access::Needs(_) if self.callers.open => {
                Err(Skip::Untried("everybody has what the route needs: the role `anonymous` gives it".to_owned()))
            }
            Access::Needs(_) => Ok(()),
        }
    }

    /// The signature of the caller that may, with nothing wrong about it.
    pub fn honest(&self) -> Result<Signature, Skip> {
        Ok(self.signature(self.allowed()?))
    }

    pub fn signature(&self, caller: &Caller) -> Signature {
        Signature::of(caller, self.place, self.route, self.now_ms / 1000)
    }

    /// The request of the route, without credentials.
    pub fn unsigned(&self, how: impl Into<String>) -> Try {
        Try { how: how.into(), request: Ok(Crafted::of(self.route)), expected: Expected::Refuse }
    }

    /// The request of the route, with a signature, of whatever.
    pub fn signed(&self, how: impl Into<String>, signature: &Signature) -> Try {
        self.unsigned(how).header("authorization", &signature.header())
    }

    /// What a signed-in browser sends along, as the operator gave it.
    pub fn session(&self) -> Result<&str, Skip> {
        self.guarded()?;
        self.place.session.as_deref().ok_or(Skip::OnlyFor("sessions, whose cookie --session gives"))
    }

    /// The request of the route, as a browser sends it that has this session.
    pub fn with_session(&self, how: impl Into<String>, session: &str) -> Try {
        self.unsigned(how).header("cookie", session)
    }

    /// The same from a page of the service itself: what changes something is refused from elsewhere.
    pub fn of_own_page(&self, how: impl Into<String>, session: &str) -> Try {
        self.with_session(how, session).header("origin", &self.place.origin).header("sec-fetch-site", "same-origin")
    }

    /// The same by somebody who could perhaps not be made.
    pub fn by(&self, how: &str, caller: &Result<Caller, String>) -> Try {
        match caller {
            Ok(caller) => self.signed(how, &self.signature(caller)),
            Err(why) => Try { how: how.to_owned(), request: Err(why.clone()), expected: Expected::Refuse },
        }
    }
}

impl Try {
    pub fn expected(mut self, expected: Expected) -> Try {
        self.expected = expected;
        self
    }

    pub fn header(self, name: &str, value: &str) -> Try {
        self.changed(|request| request.set(name, value))
    }

    pub fn resource(self, resource: &str) -> Try {
        self.changed(|request| resource.clone_into(&mut request.resource))
    }

    pub fn changed(mut self, change: impl FnOnce(&mut Crafted)) -> Try {
        if let Ok(request) = &mut self.request {
            change(request);
        }
        self
    }
}
