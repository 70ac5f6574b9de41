//! Pushed requests (RFC 9126): an application sends its request behind the page, and the browser carries a reference to it.
//!
//! The reference is the request itself, with its end, under a MAC of this installation, so that every server can read it and nothing is kept. That it is used once is
//! counted in the store. What the page carries from then on is a reference of another kind, which lives as long as somebody may take to sign in and to look.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::MINUTE_MS;
use falconer_login::{hash_of_token, network};

use crate::applications::application::ApplicationKind;
use crate::applications::documents::fetch::is_url;
use crate::delivery::redirect::encode_component;
use crate::grants::Grants;
use crate::oauth::client::client_proof::ClientProof;
use crate::oauth::error::ExchangeError;
use crate::oauth::proof::SentProof;
use crate::oauth::request::authorization::Sent;
use crate::oauth::request::parameters::Parameters;
use crate::oauth::request::refusal::{AuthorizationError, Refusal, Unanswerable};

/// In front of each reference.
const URN: &str = "urn:ietf:params:oauth:request_uri:";
/// A request that was pushed is brought by the browser at once.
const LIFE_MS: i64 = MINUTE_MS;
/// So long somebody may take to sign in, and to look at the page.
const BEGUN_MS: i64 = 60 * MINUTE_MS;
/// Longest request in bytes: its reference has to fit into an address.
const LONGEST: usize = 4 * 1024;
/// So many are taken in a minute from one network, of applications that anybody can say they are.
const MOST_BY_NETWORK: u32 = 120;
/// And so many of one application that has proved who it is.
const MOST_BY_APPLICATION: u32 = 6_000;

/// What a reference is for.
#[derive(Clone, Copy)]
enum Stage {
    /// The application has it, and the browser brings it once.
    Pushed,
    /// The browser has brought it: it stands in the pages.
    Begun,
}

impl Stage {
    fn purpose(self) -> &'static str {
        match self {
            Stage::Pushed => "falconer pushed request",
            Stage::Begun => "falconer pushed request on a page",
        }
    }
}

/// What an application is given for its request.
pub struct PushedRequest {
    /// The value of `request_uri`.
    pub request_uri: String,
    /// How long it counts.
    pub seconds: i64,
}

impl Grants {
    /// Whether the browser brings a reference to a request, and not the request.
    pub fn is_pushed(&self, query: &str) -> bool {
        let parameters = Parameters::read(query).ok();
        parameters.is_some_and(|parameters| parameters.one("request_uri").ok().flatten().is_some_and(|sent| sent.starts_with(URN)))
    }

    /// `POST /login/oauth/par`: checks a request as the page would, and gives a reference to it. Who asks is looked at before anything of it is.
    pub async fn push_request(
        &self,
        parameters: &Parameters,
        proof: ClientProof<'_>,
        address: IpAddr,
        issuer: &str,
        sent: SentProof<'_>,
    ) -> Result<PushedRequest, ExchangeError> {
        let invalid = |text: &str| ExchangeError::InvalidRequest(text.to_owned());
        let application = self.client(proof).await?.ok_or(ExchangeError::InvalidClient)?;
        if is_url(application.id()) {
            return Err(invalid("An application that nobody registered sends its request with the browser."));
        }
        if parameters.one("request_uri")?.is_some() {
            return Err(invalid("A pushed request has no request_uri."));
        }
        self.login.check_clock()?;
        let (key, most) = match application.kind() {
            ApplicationKind::Confidential => (format!("pushed/application/{}", application.id()), MOST_BY_APPLICATION),
            ApplicationKind::Public | ApplicationKind::ReferenceCode | ApplicationKind::ReferenceToken => {
                (format!("pushed/network/{}", network(address)), MOST_BY_NETWORK)
            }
        };
        self.count(&key, most, MINUTE_MS).await?;
        let query = parameters.without(&["client_id", "client_secret", "client_assertion", "client_assertion_type"]);
        let query = format!("client_id={}{query}", encode_component(application.id()));
        if query.len() > LONGEST {
            return Err(invalid("The request is longer than 4 KiB."));
        }
        match self.requested(&Parameters::read(&query)?, Sent::Pushed, issuer) {
            Ok(_) => {}
            Err(Refusal::Unknown(reason)) => return Err(ExchangeError::InvalidRequest(reason.why)),
            Err(Refusal::Fault { fault, .. }) => return Err(fault.into()),
        }
        // A proof binds the code as dpop_jkt does (RFC 9449 section 10.1).
        let named = parameters.one("dpop_jkt")?;
        let proved = match sent.header {
            Some(_) => self.proved_key(sent, Some(&application), named).await?,
            None => None,
        };
        let query = match proved.filter(|_| named.is_none()) {
            Some(key) => format!("{query}&dpop_jkt={key}"),
            None => query,
        };
        let request_uri = self.reference(Stage::Pushed, &self.login.draw::<16>(), &query, self.now_ms().saturating_add(LIFE_MS));
        Ok(PushedRequest { request_uri, seconds: LIFE_MS / 1000 })
    }

    /// Whether the browser brings a reference as the application got it, which counts once.
    pub fn is_first_brought(&self, query: &str) -> bool {
        let Ok(parameters) = Parameters::read(query) else { return false };
        self.brought(&parameters).is_ok_and(|brought| brought.is_some())
    }

    /// The query with which the browser goes on that brings a request that was pushed: `None` where it brings none, or has begun with it. Each is brought once.
    pub async fn begin_pushed(&self, query: &str) -> Result<Option<String>, AuthorizationError> {
        let parameters = Parameters::read(query).map_err(Unanswerable::from)?;
        let Some((id, sent)) = self.brought(&parameters)? else { return Ok(None) };
        self.login.check_clock()?;
        let (pushed, _) = self.referred(Stage::Pushed, sent).map_err(Unanswerable::from)?;
        if !pushed.starts_with(&format!("client_id={}&", encode_component(id))) {
            return Err(of_another().into());
        }
        let key = format!("pushed/used/{}", hash_of_token("pushed request", sent));
        let uses = self.store.note_attempt(&key, self.now_ms(), 2 * LIFE_MS).await.map_err(|error| self.store_error(error))?;
        if uses > 1 {
            return Err(Unanswerable::over("This request was brought here once already, and counts once.").into());
        }
        Ok(Some(self.reference_on_page(id, &pushed, self.now_ms().saturating_add(BEGUN_MS))))
    }

    /// The application and the reference of a request that has not begun.
    fn brought<'p>(&self, parameters: &'p Parameters) -> Result<Option<(&'p str, &'p str)>, Unanswerable> {
        let (Some(sent), Some(id)) = (parameters.one("request_uri")?, parameters.one("client_id")?) else { return Ok(None) };
        let has_begun = !matches!(self.referred(Stage::Begun, sent), Err(NotReferred::Foreign));
        Ok((sent.starts_with(URN) && !has_begun).then_some((id, sent)))
    }

    /// The request that a page of ours carries a reference to, and when that ends; `None`: it carries the request itself. Errors: the reference is none of ours, or
    /// has ended.
    pub(crate) fn begun(&self, parameters: &Parameters) -> Result<Option<(Parameters, i64)>, Refusal> {
        let Some(sent) = parameters.one("request_uri").map_err(Unanswerable::from)?.filter(|sent| sent.starts_with(URN)) else {
            return Ok(None);
        };
        let (query, ends_ms) = self.referred(Stage::Begun, sent).map_err(Unanswerable::from)?;
        let of_reference = Parameters::read(&query).map_err(Unanswerable::from)?;
        if of_reference.one("client_id").ok().flatten() != parameters.one("client_id").map_err(Unanswerable::from)? {
            return Err(of_another().into());
        }
        Ok(Some((of_reference, ends_ms)))
    }

    /// The query of a page that carries a reference. The same for the same request, so that whoever presses twice is answered once.
    pub(crate) fn reference_on_page(&self, id: &str, query: &str, ends_ms: i64) -> String {
        let reference = self.reference(Stage::Begun, "", query, ends_ms);
        format!("client_id={}&request_uri={}", encode_component(id), encode_component(&reference))
    }

    fn reference(&self, stage: Stage, serial: &str, query: &str, ends_ms: i64) -> String {
        let content = URL_SAFE_NO_PAD.encode(format!("{ends_ms}.{serial}.{query}"));
        let mac = self.login.mac(stage.purpose(), &[&content]);
        format!("{URN}{content}.{mac}")
    }

    fn referred(&self, stage: Stage, sent: &str) -> Result<(String, i64), NotReferred> {
        let (content, mac) = sent.strip_prefix(URN).and_then(|rest| rest.split_once('.')).ok_or(NotReferred::Foreign)?;
        if !self.login.has_mac(stage.purpose(), &[content], mac) {
            return Err(NotReferred::Foreign);
        }
        let (ends_ms, query) = content_of(content).ok_or(NotReferred::Foreign)?;
        if self.now_ms() < ends_ms { Ok((query, ends_ms)) } else { Err(NotReferred::Ended) }
    }
}

/// The end and the request of a reference.
fn content_of(content: &str) -> Option<(i64, String)> {
    let content = String::from_utf8(URL_SAFE_NO_PAD.decode(content).ok()?).ok()?;
    let (ends_ms, rest) = content.split_once('.')?;
    let (_, query) = rest.split_once('.')?;
    Some((ends_ms.parse().ok()?, query.to_owned()))
}

/// Why a reference leads to no request.
enum NotReferred {
    /// It was not made here, or for another stage.
    Foreign,
    /// It was good for a while.
    Ended,
}

impl From<NotReferred> for Unanswerable {
    fn from(why: NotReferred) -> Self {
        match why {
            NotReferred::Foreign => Unanswerable::wrong("The `request_uri` is not one of this server."),
            NotReferred::Ended => Unanswerable::over("The time that there was for this request has ended."),
        }
    }
}

fn of_another() -> Unanswerable {
    Unanswerable::wrong("The `request_uri` is that of another application.")
}
