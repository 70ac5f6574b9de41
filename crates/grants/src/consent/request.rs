//! The request of a site that wants a grant: `/?target=<URL>&description=<markdown>` and what is optional.

use falconer_auth::wrong_text;
use falconer_wire::time_expression;
use percent_encoding::percent_decode_str;
use thiserror::Error;

use crate::applications::application::Application;
use crate::delivery::application::Delivery;
use crate::delivery::redirect::{ResponseMode, encode_component};
use crate::openid::request::OpenIdRequest;
use crate::targets::target::{Target, TargetError};
use crate::widening::answer::Widening;

/// Longest description in bytes.
pub const LONGEST_DESCRIPTION: usize = 2048;
/// Most scopes that one request may name.
pub const MOST_SCOPES: usize = 200;
/// Longest scope in bytes.
pub const LONGEST_SCOPE: usize = 1024;
/// Most further origins that one request may name.
pub const MOST_AUDIENCES: usize = 10;

/// What is said of a purpose that can't be shown.
const WHAT_A_PURPOSE_IS: &str = "it is plain text of at most 200 characters that can be seen";

/// What a site, or a registered application, asks for. Made in this crate only, where whatever came was checked: a query, a code of a device, a request
/// for more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRequest {
    /// Where the credentials would go.
    pub target: Target,
    /// The site's own words: Markdown from a stranger, at most 2 KiB, may be empty.
    pub description: String,
    /// Valid scopes in the order given, none twice. Empty: no particular ones.
    pub scopes: Vec<String>,
    /// The site wants to know who the person is.
    pub identity: bool,
    /// Further origins that would know. Empty without `identity`.
    pub audience: Vec<String>,
    /// How long the site wishes that the grant last, in milliseconds; greater than 0. Only a wish.
    pub ttl_ms_wish: Option<i64>,
    /// The same as an instant, in milliseconds since 1970.
    pub expires_ms_wish: Option<i64>,
    /// A proposal for the name of the grant: what Falconer's own command calls the machine that it runs on, or what a grant is called beyond which more is asked for. May be empty.
    pub name_wish: String,
    /// What it wants to do, in its own words: plain text. Whoever says so is an agent.
    pub purpose: Option<String>,
    /// How the answer gets there.
    pub delivery: Delivery,
    pub(crate) canonical: String,
}

impl GrantRequest {
    /// A query, without `?`, that parses to the same request: to be carried through sign-in and in the form.
    pub fn canonical_query(&self) -> &str {
        &self.canonical
    }

    /// The registered application that asks.
    pub fn application(&self) -> Option<&Application> {
        match &self.delivery {
            Delivery::Credentials { .. } => None,
            Delivery::OAuth(to) => Some(&to.application),
            Delivery::Device(to) => Some(&to.application),
            Delivery::Widening(to) => to.application.as_deref(),
        }
    }

    /// Whether a program of its own accord asks, whose grants are short unless the person says otherwise.
    pub fn is_agent(&self) -> bool {
        self.widening().is_none() && (self.purpose.is_some() || self.application().is_some_and(|application| application.settings.agent))
    }

    /// The grant beyond which more is asked for, and who does.
    pub fn widening(&self) -> Option<&Widening> {
        match &self.delivery {
            Delivery::Credentials { .. } | Delivery::OAuth(_) | Delivery::Device(_) => None,
            Delivery::Widening(to) => Some(to),
        }
    }

    /// Who asks, as the page shows it and lists name it: where the answer goes, or where the document of the application is, whose host is what is known of it.
    pub fn site(&self) -> &Target {
        if let Some(widening) = self.widening() {
            return &widening.site;
        }
        let document = self.application().and_then(|application| application.document.as_ref());
        document.map_or(&self.target, |document| &document.site)
    }

    /// What its tokens are to be for; empty: for every service.
    pub fn resources(&self) -> &[String] {
        match &self.delivery {
            Delivery::Credentials { .. } | Delivery::Device(_) | Delivery::Widening(_) => &[],
            Delivery::OAuth(to) => &to.resources,
        }
    }

    /// Whether it asks for whatever the person can give.
    pub(crate) fn names_nothing(&self) -> bool {
        let may_name_nothing = self.application().is_none_or(Application::may_name_nothing);
        self.scopes.is_empty() && self.openid().is_none() && self.widening().is_none() && may_name_nothing
    }

    /// What it asks for to learn who the person is, by OpenID Connect.
    pub fn openid(&self) -> Option<&OpenIdRequest> {
        match &self.delivery {
            Delivery::Credentials { .. } | Delivery::Widening(_) => None,
            Delivery::OAuth(to) => to.openid.as_ref(),
            Delivery::Device(to) => to.openid.as_ref(),
        }
    }

    /// Where the browser goes with an error of OpenID Connect Core 1.0 section 3.1.2.6, such as `login_required`. `None`: nobody waits for one.
    pub fn refused_with(&self, error: &'static str) -> Option<String> {
        match &self.delivery {
            Delivery::Credentials { .. } | Delivery::Device(_) | Delivery::Widening(_) => None,
            Delivery::OAuth(to) => Some(to.location(&self.target, &[("error", error)])),
        }
    }

    /// Where the browser goes after Cancel. `None`: nowhere, and the site is told nothing.
    pub fn cancelled(&self) -> Option<String> {
        match &self.delivery {
            Delivery::Credentials { tell_cancel: false, .. } | Delivery::Device(_) | Delivery::Widening(_) => None,
            Delivery::Credentials { mode, tell_cancel: true } => Some(self.target.deliver_cancel(*mode)),
            Delivery::OAuth(to) => Some(to.location(&self.target, &[("error", "access_denied")])),
        }
    }
}

/// Why a query is no request: the page shows it and redirects nowhere. `Display` is a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RequestError {
    /// `target` without `description`, or the other way round.
    #[error("The request has a {present} but no {missing}.")]
    Half {
        /// The one that is there.
        present: &'static str,
        /// The other.
        missing: &'static str,
    },
    /// A parameter twice that can mean one thing only.
    #[error("The request has `{0}` more than once.")]
    Repeated(&'static str),
    /// A broken percent escape, or bytes that are no text.
    #[error("The value of `{0}` is not properly percent-encoded.")]
    Encoding(&'static str),
    /// The target may not have credentials.
    #[error("{0}")]
    Target(#[from] TargetError),
    /// Longer, or more, than a request may have.
    #[error("The request's `{name}` is more than {most}.")]
    TooMuch {
        /// Which parameter.
        name: &'static str,
        /// The bound in words, such as `200 scopes`.
        most: String,
    },
    /// A value that the parameter can't have.
    #[error("`{name}` is {value:?}: {why}.")]
    Value {
        /// Which parameter.
        name: &'static str,
        /// As decoded.
        value: String,
        /// What it should be.
        why: &'static str,
    },
    /// An audience that is no origin a target could have.
    #[error("`audience` is {value:?}: {why}")]
    Audience {
        /// As decoded.
        value: String,
        /// What is wrong.
        why: String,
    },
}

/// Values as they are found, before anything is judged.
#[derive(Default)]
struct Found {
    target: Option<String>,
    description: Option<String>,
    scopes: Vec<String>,
    identity: Option<String>,
    audience: Vec<String>,
    expires: Option<String>,
    purpose: Option<String>,
    response_mode: Option<String>,
    tell_cancel: Option<String>,
}

/// Reads the raw query (without `?`). `Ok(None)`: neither `target` nor `description`, so that it is no request. Unknown parameters are
/// passed over.
pub fn parse(query: &str, now_ms: i64) -> Result<Option<GrantRequest>, RequestError> {
    let found = find(query)?;
    let half = |present, missing| Err(RequestError::Half { present, missing });
    let (target, description) = match (found.target, found.description) {
        (None, None) => return Ok(None),
        (Some(_), None) => return half("target", "description"),
        (None, Some(_)) => return half("description", "target"),
        (Some(target), Some(description)) => (Target::parse(&target)?, description),
    };
    if description.len() > LONGEST_DESCRIPTION {
        return Err(too_much("description", "2 KiB"));
    }
    let identity = read_flag("identity", found.identity)?;
    let tell_cancel = read_flag("tell_cancel", found.tell_cancel)? && target.is_loopback();
    let mut request = GrantRequest {
        target,
        description,
        scopes: read_scopes(found.scopes)?,
        identity,
        audience: read_audience(found.audience, identity)?,
        ttl_ms_wish: None,
        expires_ms_wish: None,
        name_wish: String::new(),
        purpose: found.purpose.map(read_purpose).transpose()?,
        delivery: Delivery::Credentials { mode: read_mode(found.response_mode)?, tell_cancel },
        canonical: String::new(),
    };
    if let Some(expression) = &found.expires {
        let refuse = |why| RequestError::Value { name: "expires", value: expression.clone(), why };
        let ttl_ms = time_expression::parse_ms(expression).map_err(|_| refuse("it is not a time expression such as `3 days`"))?;
        let end_ms = now_ms.checked_add(ttl_ms).filter(|_| ttl_ms > 0).ok_or_else(|| refuse("it is not a time to come"))?;
        request.ttl_ms_wish = Some(ttl_ms);
        request.expires_ms_wish = Some(end_ms);
    }
    request.canonical = canonical(&request, found.expires.as_deref());
    Ok(Some(request))
}

fn find(query: &str) -> Result<Found, RequestError> {
    let mut found = Found::default();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(name) = decode_form(name) else {
            continue;
        };
        match name.as_str() {
            // A `+` in a target is a plus: URLs hold them.
            "target" => once(&mut found.target, "target", decode(value))?,
            "description" => once(&mut found.description, "description", decode_form(value))?,
            "identity" => once(&mut found.identity, "identity", decode_form(value))?,
            "expires" => once(&mut found.expires, "expires", decode_form(value))?,
            "purpose" => once(&mut found.purpose, "purpose", decode_form(value))?,
            "response_mode" => once(&mut found.response_mode, "response_mode", decode_form(value))?,
            "tell_cancel" => once(&mut found.tell_cancel, "tell_cancel", decode_form(value))?,
            "scope" => found.scopes.push(decode_form(value).ok_or(RequestError::Encoding("scope"))?),
            "audience" => found.audience.push(decode(value).ok_or(RequestError::Encoding("audience"))?),
            _ => (),
        }
    }
    Ok(found)
}

fn once(place: &mut Option<String>, name: &'static str, value: Option<String>) -> Result<(), RequestError> {
    let value = value.ok_or(RequestError::Encoding(name))?;
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(RequestError::Repeated(name)),
    }
}

pub(crate) fn decode_form(text: &str) -> Option<String> {
    decode(&text.replace('+', " "))
}

/// Percent-decoding that refuses what is not properly encoded instead of guessing.
fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices('%') {
        let is_hex = |offset: usize| bytes.get(at + offset).is_some_and(u8::is_ascii_hexdigit);
        if !is_hex(1) || !is_hex(2) {
            return None;
        }
    }
    percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned())
}

fn too_much(name: &'static str, most: &str) -> RequestError {
    RequestError::TooMuch { name, most: most.to_owned() }
}

fn read_scopes(given: Vec<String>) -> Result<Vec<String>, RequestError> {
    if given.len() > MOST_SCOPES {
        return Err(too_much("scope", "200 scopes"));
    }
    let mut scopes: Vec<String> = Vec::with_capacity(given.len());
    for scope in given {
        let refuse = |why| Err(RequestError::Value { name: "scope", value: scope.chars().take(100).collect(), why });
        if scope.is_empty() {
            return refuse("leave it out to ask for no particular scopes");
        }
        if scope.len() > LONGEST_SCOPE {
            return Err(too_much("scope", "1 KiB"));
        }
        if !falconer_scopes::is_valid_scope(&scope) {
            return refuse("a scope is printable ASCII");
        }
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(scopes)
}

fn read_flag(name: &'static str, given: Option<String>) -> Result<bool, RequestError> {
    match given.as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(RequestError::Value { name, value: other.to_owned(), why: "it is `true` or `false`" }),
    }
}

fn read_purpose(value: String) -> Result<String, RequestError> {
    let purpose = value.trim();
    match wrong_text("purpose", purpose) {
        None => Ok(purpose.to_owned()),
        Some(_) => Err(RequestError::Value { name: "purpose", value: purpose.chars().take(100).collect(), why: WHAT_A_PURPOSE_IS }),
    }
}

fn read_audience(given: Vec<String>, identity: bool) -> Result<Vec<String>, RequestError> {
    if given.len() > MOST_AUDIENCES {
        return Err(too_much("audience", "10 origins"));
    }
    let mut origins: Vec<String> = Vec::with_capacity(given.len());
    for value in given {
        let refuse = |why: String| RequestError::Audience { value: value.clone(), why };
        if !identity {
            return Err(refuse("it means nothing without `identity=true`.".into()));
        }
        let target = Target::parse(&value).map_err(|error| refuse(error.to_string()))?;
        let origin = target.origin();
        if value != origin && value != format!("{origin}/") {
            return Err(refuse("it is an origin, without path and query.".into()));
        }
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    Ok(origins)
}

fn read_mode(given: Option<String>) -> Result<ResponseMode, RequestError> {
    match given.as_deref() {
        None | Some("query") => Ok(ResponseMode::Query),
        Some("fragment") => Ok(ResponseMode::Fragment),
        Some(other) => Err(RequestError::Value { name: "response_mode", value: other.to_owned(), why: "it is `query` or `fragment`" }),
    }
}

fn canonical(request: &GrantRequest, expires: Option<&str>) -> String {
    let mut query = String::new();
    let mut add = |name: &str, value: &str| {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        query.push_str(&encode_component(value));
    };
    add("target", request.target.href());
    add("description", &request.description);
    for scope in &request.scopes {
        add("scope", scope);
    }
    if request.identity {
        add("identity", "true");
    }
    for origin in &request.audience {
        add("audience", origin);
    }
    if let Some(expires) = expires {
        add("expires", expires);
    }
    if let Some(purpose) = &request.purpose {
        add("purpose", purpose);
    }
    if let Delivery::Credentials { mode, tell_cancel } = request.delivery {
        if mode == ResponseMode::Fragment {
            add("response_mode", "fragment");
        }
        if tell_cancel {
            add("tell_cancel", "true");
        }
    }
    query
}
