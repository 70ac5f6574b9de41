use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use falconer_client::{Credentials, Retry};
use falconer_middleware::{BodyRule, Caller, Code, Proof, Refusal, SettingsError, SignedRequest, Verified, Verifier};
use falconer_scopes::Params;
use http::{HeaderValue, header};
use tokio::time::Instant;

use super::answer::Answer;
use super::pages;
use super::refused::Refused;
use super::request_head::RequestHead;
use super::site::{Site, SiteSession};
use super::watched::Watched;
use crate::addresses::{AddressPermit, Addresses};
use crate::forward;
use crate::keys::Key;
use crate::metrics::{Metrics, Outcome};
use crate::page::Page;
use crate::rules::{Access, Found, Needs, Place, Rules, Settings, Target};
use crate::session::{is_own, sign_in_path, wants_page};
use crate::statement;

/// A gateway that is set up: it decides about requests.
#[derive(Debug)]
pub struct Gateway {
    sites: Vec<Site>,
    rules: Arc<Rules>,
    caller_key: Key,
    questions: Addresses,
    metrics: Arc<Metrics>,
}

/// What becomes of a request.
pub(crate) enum Decision {
    /// It goes on to the service behind.
    LetThrough(LetThrough),
    /// A preflight of a page whose origin may call.
    Preflight,
    /// It does not.
    Answer(Answer),
}

/// A request that goes on.
pub(crate) struct LetThrough {
    /// Who signed, and what the body has to be. `None`: the rule needs no caller.
    pub(crate) verified: Option<Verified>,
    /// What the rule tells the service behind.
    pub(crate) reveal: Vec<String>,
    /// Where it wants another protocol: how to ask whether its connection may stay open.
    pub(crate) watched: Option<Box<Watched>>,
}

impl Gateway {
    /// `key` seals cookies, `caller_key` signs what the service behind is told. Errors: an origin or a root URL that cannot be used.
    pub fn new(rules: Rules, key: Option<&Key>, caller_key: Key) -> Result<Gateway, SettingsError> {
        let first_delay = Duration::from_millis(50);
        let retry = Retry { tries: 2, first_delay, timeout: rules.settings.falconer_timeout, ..Retry::default() };
        let mut sites = Vec::new();
        for origin in &rules.origins {
            let mut verifier = Verifier::new(&rules.falconer, origin)?.with_retry(retry);
            if rules.settings.payload_hash_required {
                verifier = verifier.with_payload_hash_required();
            }
            if rules.settings.bearer_tokens {
                verifier = verifier.with_bearer_tokens();
            }
            if let Some(resource) = &rules.settings.protected_resource {
                verifier = verifier.with_protected_resource(&resource.path, resource.scopes.iter().map(String::as_str))?;
            }
            sites.push(Site::new(&rules, origin, key, verifier, retry)?);
        }
        Ok(Gateway { sites, rules: Arc::new(rules), caller_key, questions: Addresses::default(), metrics: Arc::default() })
    }

    /// Answers a question of the proxy that the rules name, for a program that has a listener of its own. The question's body is not looked at, so it is not given.
    /// `None`: the rules name no proxy.
    pub async fn answer_question(&self, peer: IpAddr, parts: &http::request::Parts) -> Option<http::Response<bytes::Bytes>> {
        match self.settings().place {
            Some(Place::Beside(dialect)) => Some(forward::respond(self, dialect, peer, parts).await),
            _ => None,
        }
    }

    /// The same for Envoy's question over gRPC. `message` is one `envoy.service.auth.v3.CheckRequest` with its five bytes in front. The answer is a `CheckResponse`
    /// without them. `None`: it is no such message.
    pub async fn answer_envoy(&self, message: &[u8]) -> Option<Vec<u8>> {
        forward::envoy_grpc::said(self, message).await
    }

    /// What was counted since the start, in the text format of OpenMetrics.
    #[must_use]
    pub fn metrics_text(&self) -> String {
        self.metrics.text(self.sites.iter().any(|site| site.verifier.is_paused()))
    }

    /// Goes on with the counts and metrics of the gateway that this one replaces.
    #[must_use]
    pub(crate) fn in_place_of(self, before: &Gateway) -> Gateway {
        Gateway { questions: before.questions.clone(), metrics: Arc::clone(&before.metrics), ..self }
    }

    /// The same for one more thread: with connections to Falconer of its own, and all else in common.
    pub(crate) fn for_thread(&self) -> Result<Gateway, SettingsError> {
        let sites = self.sites.iter().map(Site::with_own_connections).collect::<Result<_, _>>()?;
        let (rules, metrics) = (Arc::clone(&self.rules), Arc::clone(&self.metrics));
        Ok(Gateway { sites, rules, metrics, caller_key: self.caller_key.clone(), questions: self.questions.clone() })
    }

    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.rules.settings
    }

    /// Decides, and answers in the form that this caller reads.
    pub(crate) async fn decide(&self, request: &RequestHead<'_>) -> Decision {
        match self.try_decide(request).await {
            Ok((decision, outcome)) => {
                self.metrics.decided(outcome);
                decision
            }
            Err(refused) => {
                self.metrics.decided(refused.outcome());
                Decision::Answer(self.refuse(&refused, request))
            }
        }
    }

    /// The answer to a refusal; pages of origins that may call can read it.
    pub(crate) fn refuse(&self, refused: &Refused, request: &RequestHead<'_>) -> Answer {
        let mut answer = Answer::refused(refused, request);
        if let Some(challenge) = self.challenge(refused, request) {
            answer.headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(allowed) = self.cors(request) {
            answer.headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            answer.headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("WWW-Authenticate, Retry-After, Date"));
            answer.headers.insert(header::VARY, HeaderValue::from_static("Origin"));
        }
        answer
    }

    /// For clients of OAuth 2, where the rules say where tokens come from.
    fn challenge(&self, refused: &Refused, request: &RequestHead<'_>) -> Option<HeaderValue> {
        let Refused::Verifier(refusal) = refused else { return None };
        let resource = self.site(request.host).ok()?.verifier.protected_resource()?;
        let authorization = request.headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        HeaderValue::try_from(resource.challenge(refusal, authorization)?).ok()
    }

    /// What clients of OAuth 2 ask for first. Beside a proxy nothing can be answered with success.
    fn metadata(&self, request: &RequestHead<'_>, site: &Site, target: &Target) -> Option<Answer> {
        let resource = site.verifier.protected_resource()?;
        let in_front = matches!(self.settings().place, Some(Place::InFrontOf(_)));
        (in_front && matches!(request.method, "GET" | "HEAD") && target.path() == resource.path()).then(|| Answer::metadata(resource))
    }

    /// The value that lets the page read the answer which asked.
    pub(crate) fn cors(&self, request: &RequestHead<'_>) -> Option<HeaderValue> {
        let from = request.headers.get(header::ORIGIN)?;
        let origins = &self.rules.settings.cors;
        if origins.iter().any(|origin| origin == "*") {
            return Some(HeaderValue::from_static("*"));
        }
        origins.iter().any(|origin| origin.as_bytes() == from.as_bytes()).then(|| from.clone())
    }

    pub(super) fn site(&self, host: &str) -> Result<&Site, Refused> {
        self.sites.iter().find(|site| site.is(host)).ok_or(Refused::OtherHost)
    }

    async fn try_decide(&self, request: &RequestHead<'_>) -> Result<(Decision, Outcome), Refused> {
        let site = self.site(request.host)?;
        let target = Target::read(request.target).map_err(Refused::Target)?;
        if request.names_another_method() {
            return Err(Refused::OtherMethod);
        }
        if target.segments().first().is_some_and(|first| first.eq_ignore_ascii_case(".falconer")) {
            let session = site.session.as_ref().ok_or(Refused::NoRule)?;
            let answer = pages::answer(self, request, &target, site, session).await?;
            return Ok((Decision::Answer(answer), Outcome::OwnPage));
        }
        if let Some(answer) = self.metadata(request, site, &target) {
            return Ok((Decision::Answer(answer), Outcome::OwnPage));
        }
        if request.is_preflight() && self.cors(request).is_some() {
            return match self.rules.table.find("OPTIONS", &target).map_err(Refused::Target)? {
                Found::NoPath => Err(Refused::NoRule),
                Found::Rule(..) | Found::NoMethod => Ok((Decision::Preflight, Outcome::Preflight)),
            };
        }
        match self.rules.table.find(request.method, &target).map_err(Refused::Target)? {
            Found::NoPath | Found::NoMethod => Err(Refused::NoRule),
            Found::Rule(rule, parameters) => match &rule.access {
                Access::Public => {
                    Ok((Decision::LetThrough(LetThrough { verified: None, reveal: Vec::new(), watched: None }), Outcome::Public))
                }
                Access::Needs(needs) => self.check(request, site, needs, &parameters).await,
            },
        }
    }

    async fn check(
        &self,
        request: &RequestHead<'_>,
        site: &Site,
        needs: &Needs,
        parameters: &Params,
    ) -> Result<(Decision, Outcome), Refused> {
        let expression = needs.expression(parameters).map_err(Refused::CannotAsk)?;
        let session = site.session.as_ref().filter(|_| !request.is_signed());
        let own = match session {
            Some(session) => match of_session(request, site, session)? {
                SessionState::Signed(header, credentials) => Some((header, credentials)),
                SessionState::SignIn => return sign_in(request, site, None),
                SessionState::Nothing => None,
            },
            None => None,
        };
        let authorization = match &own {
            Some((header, _)) => Some(header.as_bytes()),
            None => request.headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes),
        };
        if request.headers.get_all(header::AUTHORIZATION).iter().nth(1).is_some() {
            return Err(Refused::Verifier(Refusal::SeveralAuthorizations));
        }
        let slot = self.hold(request)?;
        let source_ip = request.source_ip.map(|address| address.to_string());
        let proof = Proof::header(authorization, || request.headers.get_all("dpop").iter().map(HeaderValue::as_bytes));
        let proof = proof.as_deref().map_or(Proof::Nothing, Proof::Header);
        let signed =
            SignedRequest { method: request.method, resource: request.target, authorization, proof, source_ip: source_ip.as_deref() };
        let verifier = site.verifier.clone().with_revealed(needs.reveal.iter().map(String::as_str));
        let verifier = verifier.map_err(|_| Refused::Misconfigured("a prefix in `reveal` cannot be used"))?;
        let verifier = verifier.within_trace(request.headers.get_all("traceparent").iter().map(HeaderValue::as_bytes));
        let began = Instant::now();
        let answer = verifier.check(&signed, &expression).await;
        drop(slot);
        self.metrics.answered(began.elapsed());
        match answer {
            Ok(verified) => {
                let unseen = matches!(self.settings().place, Some(Place::Beside(_))) && matches!(verified.body_rule(), BodyRule::Hash(_));
                if unseen && !needs.body_unchecked {
                    return Err(Refused::BodyUnseen);
                }
                let watched = request.headers.contains_key(header::UPGRADE).then(|| {
                    let credentials = own.map(|(_, credentials)| credentials);
                    Box::new(Watched::new(request, verifier, expression, credentials, verified.follow_up().map(str::to_owned)))
                });
                Ok((Decision::LetThrough(LetThrough { verified: Some(verified), reveal: needs.reveal.clone(), watched }), Outcome::Allowed))
            }
            Err(refusal) => match session {
                Some(session) => for_browser(request, site, session, own.is_some(), refusal),
                None => Err(Refused::Verifier(refusal)),
            },
        }
    }

    /// One question to Falconer of this address, until it is dropped.
    pub(super) fn hold(&self, request: &RequestHead<'_>) -> Result<Option<AddressPermit>, Refused> {
        let most = self.settings().questions_per_address;
        request.source_ip.map(|address| self.questions.hold(address, most).ok_or(Refused::TooMany)).transpose()
    }

    /// What the service behind is told of a request that goes on.
    pub(crate) fn statement(&self, request: &RequestHead<'_>, caller: Option<&Caller>, reveal: &[String]) -> Result<HeaderValue, Refused> {
        let request = (request.method, self.site(request.host)?.host.as_str(), request.target);
        let statement = statement::of(&self.caller_key, falconer_client::system::now_ms(), request, caller, reveal);
        statement.ok_or(Refused::Misconfigured("what the service behind is told can't be written"))
    }

    /// The Cookie header without what is the gateway's own; `None`: nothing is left.
    pub(crate) fn cookies_for_service(&self, host: &str, value: &[u8]) -> Option<Vec<u8>> {
        match self.site(host).ok().and_then(|site| site.session.as_ref()) {
            Some(session) => session.cookies.without_ours(value),
            None => Some(value.to_owned()),
        }
    }

    /// The protected origin of a host that was let through.
    pub(crate) fn origin_of(&self, host: &str) -> Option<(&str, &str)> {
        self.site(host).ok().map(|site| (site.origin.split(':').next().unwrap_or("https"), site.host.as_str()))
    }
}

/// What the cookies of a request come to.
enum SessionState {
    /// A header for the target, and what it was signed with.
    Signed(String, Credentials),
    /// The session ends soon, and somebody goes to a page.
    SignIn,
    Nothing,
}

fn of_session(request: &RequestHead<'_>, site: &Site, session: &SiteSession) -> Result<SessionState, Refused> {
    let now_ms = falconer_client::system::now_ms();
    let Some(opened) = session.cookies.session(request.headers, now_ms) else { return Ok(SessionState::Nothing) };
    if !is_own(request.method, request.headers, &site.origin) {
        return Err(Refused::OtherSite);
    }
    let renew_ms = i64::try_from(session.settings.renew.as_millis()).unwrap_or(0);
    if wants_page(request.method, request.headers) && opened.ends_soon(renew_ms, now_ms) {
        return Ok(SessionState::SignIn);
    }
    let header = session.sign(request.method, request.target, opened.credentials.clone())?;
    Ok(SessionState::Signed(header, opened.credentials))
}

/// What a browser gets in place of JSON, where sessions are on.
fn for_browser(
    request: &RequestHead<'_>,
    site: &Site,
    session: &SiteSession,
    has_session: bool,
    refusal: Refusal,
) -> Result<(Decision, Outcome), Refused> {
    let page = wants_page(request.method, request.headers);
    match refusal.code() {
        Code::AuthenticationFailed if has_session && page => sign_in(request, site, session.cookies.clear_session()),
        Code::InsufficientScopes if has_session && page => {
            let text = pages::not_granted(&refusal);
            let again = sign_in_path(request.target);
            let page = Page { title: "Not allowed", text: &text, link: Some((&again, "Sign in again")), sign_out: true, report: None };
            Ok((Decision::Answer(Answer::page(403, &page)), Outcome::Denied))
        }
        Code::InsufficientScopes if page => sign_in(request, site, None),
        _ if page && matches!(refusal, Refusal::NoCredentials { .. }) => sign_in(request, site, None),
        _ => Err(Refused::Verifier(refusal)),
    }
}

/// To the sign-in, by its whole address: Traefik takes a path for one of the gateway's own.
fn sign_in(request: &RequestHead<'_>, site: &Site, clear: Option<HeaderValue>) -> Result<(Decision, Outcome), Refused> {
    let answer = Answer::to(&format!("{}{}", site.origin, sign_in_path(request.target)), clear);
    answer
        .map(|answer| (Decision::Answer(answer), Outcome::SignIn))
        .ok_or(Refused::Misconfigured("the address of the sign-in is no header"))
}
