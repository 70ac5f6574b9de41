use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use falconer_credentials::BearerKind;
use falconer_middleware::{BodyRule, Caller, Refusal, Verified};
use falconer_wire::date_time;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body as _;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::incoming::IncomingBody;
use super::listener::{AnswerBody, Connected, boxed, whole};
use super::passing::{causes, one_host, remove_connection_headers, tunnel, upgrade_of};
use crate::decide::{Decision, Gateway, GatewayRecheck, InUse, LetThrough, RULES_REPLACED, Refused, RequestHead, Watched};
use crate::metrics::Metrics;
use crate::statement;
use crate::staying_open::over;

/// How long the service behind may take to the head of its answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a body that is to be compared may take to arrive.
const BODY: Duration = Duration::from_secs(60);

/// What services take for the original address of a request, and clients send too.
const SAID_BY_PROXIES: [&str; 6] = ["forwarded", "true-client-ip", "x-client-ip", "x-cluster-client-ip", "x-real-ip", "x-rewrite-url"];
/// The same, whatever follows: who it is too, such as `X-Forwarded-User`.
const SAID_BY_PROXIES_BEGINS: [&str; 2] = ["x-forwarded-", "x-original-"];

/// The gateway in front of the service itself.
pub(super) struct ReverseProxy {
    in_use: InUse,
    upstream: String,
    client: Client<HttpConnector, AnswerBody>,
}

/// The same for one request, which one gateway decides.
struct SingleRequest<'p> {
    gateway: Arc<Gateway>,
    proxy: &'p ReverseProxy,
}

impl ReverseProxy {
    pub(super) fn new(in_use: InUse, upstream: String) -> ReverseProxy {
        let client = Client::builder(TokioExecutor::new()).pool_idle_timeout(Duration::from_secs(30)).build_http();
        ReverseProxy { in_use, upstream, client }
    }

    /// Decides about a request, passes it on, and gives the answer of the service behind as it comes.
    pub(super) async fn answer(&self, request: Request<IncomingBody>, peer: IpAddr) -> Response<AnswerBody> {
        SingleRequest { gateway: self.in_use.now(), proxy: self }.answer(request, peer).await
    }
}

impl SingleRequest<'_> {
    async fn answer(&self, request: Request<IncomingBody>, peer: IpAddr) -> Response<AnswerBody> {
        let (parts, body) = request.into_parts();
        let host =
            parts.uri.authority().map(http::uri::Authority::as_str).or_else(|| one_host(&parts.headers)).unwrap_or_default().to_owned();
        // Whatever does not begin with a slash is refused by whoever reads targets.
        let target = parts.uri.path_and_query().map_or("*", |target| target.as_str()).to_owned();
        let (method, headers) = (parts.method.clone(), parts.headers.clone());
        let source_ip = self.client_address(peer, &headers);
        let head = RequestHead { method: method.as_str(), target: &target, host: &host, headers: &headers, source_ip };
        let mut response = match self.gateway.decide(&head).await {
            Decision::Answer(answer) => return answer.into_response().map(whole),
            Decision::Preflight => self.preflight(),
            Decision::LetThrough(through) => match self.pass_on(&head, through, parts, body).await {
                Ok(response) => response,
                Err(refused) => {
                    if matches!(refused, Refused::Behind(_)) {
                        self.gateway.metrics().upstream_failed();
                    }
                    return self.gateway.refuse(&refused, &head).into_response().map(whole);
                }
            },
        };
        if let Some(allowed) = self.gateway.cors(&head) {
            response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
        }
        response
    }

    fn preflight(&self) -> Response<AnswerBody> {
        let mut response = Response::new(whole(Bytes::new()));
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Authorization, Content-Type, DPoP"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("900"));
        response
    }

    async fn pass_on(
        &self,
        head: &RequestHead<'_>,
        through: LetThrough,
        mut parts: Parts,
        body: IncomingBody,
    ) -> Result<Response<AnswerBody>, Refused> {
        let took_credentials = through.verified.is_some();
        let (caller, body) = match through.verified {
            Some(verified) => {
                let (caller, body) = self.compare(verified, head.headers, body).await.map_err(Refused::Verifier)?;
                (Some(caller), body)
            }
            None => (None, boxed(body)),
        };
        let upgrade = upgrade_of(head.headers);
        let on_upgrade = parts.extensions.remove::<hyper::upgrade::OnUpgrade>();
        let statement = self.gateway.statement(head, caller.as_ref(), &through.reveal)?;
        let mut headers = self.headers(head, parts.headers, took_credentials);
        headers.insert(statement::HEADER, statement);
        if let Some(protocol) = &upgrade {
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(header::UPGRADE, protocol.clone());
        }
        let mut request = Request::new(body);
        *request.method_mut() = parts.method;
        *request.uri_mut() = format!("http://{}{}", self.proxy.upstream, head.target)
            .parse::<Uri>()
            .map_err(|_| Refused::Target(crate::rules::BadTarget::Character))?;
        *request.headers_mut() = headers;
        let answer = tokio::time::timeout(PATIENCE, self.proxy.client.request(request)).await;
        let mut answer =
            answer.map_err(|_| Refused::Behind("no answer in time".to_owned()))?.map_err(|error| Refused::Behind(causes(&error)))?;
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            let (Some(protocol), Some(on_upgrade)) = (upgrade, on_upgrade) else {
                return Err(Refused::Behind("it switched to a protocol that nobody asked for".to_owned()));
            };
            let service = hyper::upgrade::on(&mut answer);
            let service = async { service.await.map(TokioIo::new) };
            let over = self.over(through.watched, caller);
            return Ok(tunnel(answer.headers_mut(), on_upgrade, service, &protocol, parts.extensions.remove::<Connected>(), over));
        }
        remove_connection_headers(answer.headers_mut());
        if took_credentials && !answer.headers().contains_key(header::CACHE_CONTROL) {
            // Caches keep what says nothing, and a session is a cookie: unlike Authorization, it forbids nobody to keep the answer for all.
            answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        }
        Ok(answer.map(boxed))
    }

    /// When a WebSocket has to end: with the credentials that it was opened with. Where it took none, with the rules.
    fn over(&self, watched: Option<Box<Watched>>, caller: Option<Caller>) -> impl Future<Output = ()> + Send + 'static {
        let (gateway, in_use) = (Arc::clone(&self.gateway), self.proxy.in_use.clone());
        let counted = OpenWebSocket::new(&gateway);
        async move {
            let _counted = counted;
            let interval = gateway.settings().recheck;
            let why = match watched.zip(caller) {
                Some((watched, caller)) => {
                    let expires_ms = date_time::parse_ms(caller.expires()).unwrap_or(0);
                    over(GatewayRecheck { watched: *watched, gateway: Arc::clone(&gateway), in_use }, interval, expires_ms).await
                }
                None => {
                    while !in_use.replaced(&gateway) {
                        tokio::time::sleep(interval).await;
                    }
                    RULES_REPLACED.to_owned()
                }
            };
            gateway.metrics().websockets_ended.inc();
            tracing::info!(reason = why, "a WebSocket ended with its credentials");
        }
    }

    /// Where the client is: at the other end of the connection, or, where one of the proxies that the file names is there, at the last address in
    /// `X-Forwarded-For` that is none of these. A proxy that says none leaves it open.
    fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let settings = self.gateway.settings();
        if !settings.proxies_named {
            return Some(peer);
        }
        let said = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let said: Vec<Option<IpAddr>> = said.map(|address| address.trim().parse().ok()).collect();
        let mut way = said.into_iter().rev();
        let mut address = Some(peer);
        while address.is_some_and(|address| settings.proxies.have(address)) {
            address = way.next().flatten();
        }
        address
    }

    /// Reads a body whose hash was signed, and no other.
    async fn compare(&self, verified: Verified, headers: &HeaderMap, body: IncomingBody) -> Result<(Caller, AnswerBody), Refusal> {
        match verified.body_rule() {
            BodyRule::Any => Ok((verified.with_body("", b"")?, boxed(body))),
            BodyRule::Empty if body.is_end_stream() => Ok((verified.with_body("", b"")?, boxed(body))),
            BodyRule::Empty => Err(Refusal::BodyNotSigned),
            BodyRule::Hash(_) if headers.get_all(header::CONTENT_TYPE).iter().nth(1).is_some() => {
                // One of them is signed, and the service behind may read the other one.
                Err(Refusal::NotVerifiable { message: "the request has more than one Content-Type".to_owned() })
            }
            BodyRule::Hash(_) => {
                let limit_bytes = self.gateway.settings().body_limit_bytes;
                let bytes = match tokio::time::timeout(BODY, Limited::new(body, limit_bytes).collect()).await {
                    Ok(Ok(collected)) => collected.to_bytes(),
                    Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(Refusal::BodyTooLarge { limit_bytes }),
                    Ok(Err(_)) | Err(_) => return Err(Refusal::BodyUnreadable),
                };
                let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
                Ok((verified.with_body(content_type, &bytes)?, whole(bytes)))
            }
        }
    }

    /// What the service behind gets to see of the head.
    fn headers(&self, head: &RequestHead<'_>, mut headers: HeaderMap, took_credentials: bool) -> HeaderMap {
        remove_connection_headers(&mut headers);
        // The body is framed anew, by its own length or in chunks.
        headers.remove(header::CONTENT_LENGTH);
        headers.remove(header::EXPECT);
        let reserved: Vec<HeaderName> = headers.keys().filter(|name| is_reserved(name)).cloned().collect();
        for name in reserved {
            headers.remove(name);
        }
        // What is shown to Falconer is of no use to the service, on public paths neither: a signature, and a token, which is worth something elsewhere too.
        let is_ours = headers.get_all(header::AUTHORIZATION).iter().any(is_for_falconer);
        if took_credentials || is_ours {
            headers.remove(header::AUTHORIZATION);
            // A proof goes with its token.
            headers.remove("dpop");
        }
        let cookies = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect::<Vec<_>>().join(b"; ".as_slice());
        headers.remove(header::COOKIE);
        if let Some(left) = self.gateway.cookies_for_service(head.host, &cookies)
            && let Ok(left) = HeaderValue::from_bytes(&left)
            && !left.is_empty()
        {
            headers.insert(header::COOKIE, left);
        }
        let source_ip = head.source_ip.map_or_else(String::new, |address| address.to_string());
        let (scheme, host) = self.gateway.origin_of(head.host).unwrap_or(("https", head.host));
        for (name, value) in [("x-forwarded-proto", scheme), ("x-forwarded-host", host), ("x-forwarded-for", source_ip.as_str())] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        if let Ok(host) = HeaderValue::from_str(host) {
            headers.insert(header::HOST, host);
        }
        headers
    }
}

/// A WebSocket that is counted as long as it is there.
struct OpenWebSocket(Arc<Metrics>);

impl OpenWebSocket {
    fn new(gateway: &Arc<Gateway>) -> OpenWebSocket {
        gateway.metrics().websockets.inc();
        OpenWebSocket(Arc::clone(gateway.metrics()))
    }
}

impl Drop for OpenWebSocket {
    fn drop(&mut self) {
        self.0.websockets.dec();
    }
}

/// Whether the service behind could take it for a header that only the gateway sets. Many services make one name of dashes and underscores.
fn is_reserved(name: &HeaderName) -> bool {
    let name = name.as_str().replace('_', "-");
    name == statement::HEADER.as_str()
        || SAID_BY_PROXIES.contains(&name.as_str())
        || SAID_BY_PROXIES_BEGINS.iter().any(|begins| name.starts_with(begins))
}

/// A Hawk signature, or an opaque access token of Falconer. A signed one is for services that verify it themselves, so this one may.
fn is_for_falconer(authorization: &HeaderValue) -> bool {
    let value = authorization.as_bytes().trim_ascii();
    let (scheme, token) = value.split_at(value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len()));
    let shows_token = [&b"bearer"[..], b"dpop"].iter().any(|one| scheme.eq_ignore_ascii_case(one));
    scheme.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"hawk"))
        || (shows_token && token.trim_ascii_start().starts_with(BearerKind::Access.prefix().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token of ten minutes, good at every service that takes them, went on to the service behind.
    #[test]
    fn what_is_for_falconer_ends_here() {
        for (value, ours) in [
            ("Hawk id=\"a\"", true),
            (" hawk id=\"a\"", true),
            ("Bearer falconer_at_x", true),
            ("bearer   falconer_at_x", true),
            ("BEARER\tfalconer_at_x", true),
            ("DPoP falconer_at_x", true),
            ("Bearer other", false),
            ("Bearer", false),
            ("Basic falconer_at_x", false),
            ("", false),
        ] {
            assert_eq!(is_for_falconer(&HeaderValue::from_static(value)), ours, "{value:?}");
        }
    }

    #[test]
    fn no_spelling_of_a_reserved_name_is_passed_on() {
        for name in [
            "falconer-caller",
            "falconer_caller",
            "x-forwarded-for",
            "x_forwarded_for",
            "x-forwarded_for",
            "forwarded",
            "x_rewrite_url",
            "x-forwarded-user",
            "x_forwarded_email",
            "x-forwarded-prefix",
            "x-original-host",
            "x-real-ip",
        ] {
            assert!(is_reserved(&HeaderName::from_static(name)), "{name}");
        }
        for name in ["accept", "x_request_id", "falconer-caller-2", "x-forwarded"] {
            assert!(!is_reserved(&HeaderName::from_static(name)), "{name}");
        }
    }
}
