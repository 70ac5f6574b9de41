//! authenticateHawk and the two trial methods.

use bytes::Bytes;
use falconer_auth::{ApiError, Auth, DisclosedIdentity, NewRefusal, RefusedBy, RefusedFor, RequestParts, TestView, Unable, Verdict};
use falconer_scopes::ScopeSet;
use falconer_wire::{Identity, TestAuthenticateRequest, TestAuthenticateResponse};
use serde::Serialize;
use serde_json::Value;

use crate::api::answer::failure::{Failure, text_of};
use crate::api::answer::reply::{Content, Reply};
use crate::api::handlers::plain::HawkRequest;
use crate::api::handlers::{Answer, Request, time};
use crate::api::request::signed::payload_mismatch;
use crate::listener::parts::Parts;
use crate::metrics::{Label, Metrics};

pub(crate) async fn authenticate(request: &Request<'_>) -> Answer {
    let text = |key: &str| request.body.json.get(key).and_then(Value::as_str);
    // The schema lets 443.0 through: it is an integer. So the number is read as one, not as its text.
    let port = request.body.json.get("port").and_then(Value::as_f64).unwrap_or_default() as u16;
    let parts = RequestParts {
        method: text("method").unwrap_or_default(),
        resource: text("resource").unwrap_or_default(),
        host: text("host").unwrap_or_default(),
        port,
        authorization: text("authorization"),
    };
    verified(request.auth, request.metrics, &parts).await.map_err(|unable| ApiError::from(unable).into())
}

/// The same for what was read on the short way. Errors: this node can't tell.
pub(crate) async fn answer(auth: &Auth, metrics: &Metrics, request: &HawkRequest<'_>) -> Result<Reply, Unable> {
    verified(auth, metrics, &request.parts()).await
}

async fn verified(auth: &Auth, metrics: &Metrics, parts: &RequestParts<'_>) -> Result<Reply, Unable> {
    let verdict = auth.verify(parts).await;
    metrics.verified(&verdict);
    Ok(reply(auth, parts, written(&verdict)?, &verdict))
}

fn reply(auth: &Auth, parts: &RequestParts<'_>, body: Content, verdict: &Verdict) -> Reply {
    let reply = Reply { plain: true, body, ..Reply::json_bytes(Vec::new()) };
    let Verdict::Failed(reason) = verdict else { return reply };
    // The body is the protocol's, which has no place for the id.
    let id = auth.note_refusal_unless_many(|| NewRefusal {
        by: RefusedBy::AuthenticateHawk,
        parts: Some(*parts),
        why: RefusedFor::Credentials(reason.clone()),
        payload_hash: None,
    });
    let reply = id.into_iter().fold(reply, |reply, id| reply.refused_as(&id));
    Reply { reason: Some(Label::of(verdict)), ..reply }
}

/// The answer as [`falconer_wire::AuthenticateHawkResponse`] would be written, without one being made. An error where the server is at fault: a service
/// must not take that for its caller's.
fn written(verdict: &Verdict) -> Result<Content, Unable> {
    let text = match verdict {
        Verdict::Success(success) => {
            let list = success.scopes.json_bytes();
            let is_long = list.len() > LONGEST_COPIED;
            let mut json = Object::new("auth-success", 160 + if is_long { 0 } else { list.len() });
            json.value("scheme", "hawk");
            json.value("expires", &time(success.expires_ms));
            json.ready("scopes", if is_long { &[] } else { list });
            let list_at = json.0.len();
            json.value("clientId", &success.client_id);
            if let Some(hash) = &success.hash {
                json.value("hash", hash);
            }
            if let Some(who) = &success.identity {
                json.value("identity", &identity(who));
            }
            let text = json.end();
            if is_long {
                return Ok(Content::Parts(Parts::around(text.into(), list_at, Bytes::from_owner(List(success.scopes.clone())))));
            }
            text
        }
        Verdict::NoAuth { expires_ms, scopes } => {
            let mut json = Object::new("no-auth", 128 + scopes.json_bytes().len());
            json.value("scheme", "none");
            json.value("expires", &time(*expires_ms));
            json.ready("scopes", scopes.json_bytes());
            json.end()
        }
        Verdict::Failed(reason) => {
            let message = text_of(reason);
            let mut json = Object::new("auth-failed", 48 + message.len());
            json.value("message", &message);
            json.end()
        }
        Verdict::Unable(unable) => return Err(unable.clone()),
    };
    Ok(Content::Bytes(text))
}

/// A longer list of scopes is sent from where it lies. Below, copying it takes less time than what one more piece of an answer takes.
const LONGEST_COPIED: usize = 8 << 10;

/// The scopes of a set as JSON, for as long as they are being sent.
struct List(ScopeSet);

impl AsRef<[u8]> for List {
    fn as_ref(&self) -> &[u8] {
        self.0.json_bytes()
    }
}

pub(crate) fn identity(who: &DisclosedIdentity) -> Identity {
    Identity {
        id: who.id.clone(),
        provider: who.provider.clone(),
        subject: who.subject.clone(),
        display_name: who.display_name.clone(),
        email: who.email.clone(),
        email_verified: who.email_verified,
        target: who.target.clone(),
    }
}

/// A JSON object under way.
pub(crate) struct Object(Vec<u8>);

impl Object {
    pub(crate) fn new(status: &str, capacity: usize) -> Object {
        let mut text = Vec::with_capacity(capacity);
        text.push(b'{');
        let mut object = Object(text);
        object.append("status", status);
        object
    }

    pub(crate) fn value(&mut self, key: &str, value: &(impl Serialize + ?Sized)) {
        self.0.push(b',');
        self.append(key, value);
    }

    /// A value that is JSON already.
    fn ready(&mut self, key: &str, json: &[u8]) {
        self.0.push(b',');
        self.key(key);
        self.0.extend_from_slice(json);
    }

    fn append(&mut self, key: &str, value: &(impl Serialize + ?Sized)) {
        self.key(key);
        // Texts and lists of texts into memory: this cannot fail.
        let _ = serde_json::to_writer(&mut self.0, value);
    }

    fn key(&mut self, key: &str) {
        self.0.push(b'"');
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}

pub(crate) fn test(request: &Request<'_>) -> Answer {
    let given: TestAuthenticateRequest = request.input()?;
    let parts = request.signed.parts_of_one_scheme()?;
    shape(request, request.auth.test_authenticate(&parts, &given.client_scopes, &given.required_scopes)?)
}

pub(crate) fn test_get(request: &Request<'_>) -> Answer {
    let parts = request.signed.parts_of_one_scheme()?;
    shape(request, request.auth.test_authenticate_get(&parts)?)
}

fn shape(request: &Request<'_>, view: TestView) -> Answer {
    match payload_mismatch(view.hash.as_deref(), request.body.hashed()) {
        Some(error) => Err(Failure::from(error)),
        None => Ok(Reply::json(&TestAuthenticateResponse { client_id: view.client_id, scopes: view.scopes })),
    }
}

#[cfg(test)]
mod tests {
    use falconer_auth::{GrantState, Reason, Success, Unable};
    use falconer_wire::AuthenticateHawkResponse;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_the_shape_of_the_wire() {
        let scopes = ScopeSet::new(["a*", "b \"quoted\" \\"]);
        let who = DisclosedIdentity {
            id: "local/a".to_owned(),
            provider: "local".to_owned(),
            subject: "a".to_owned(),
            display_name: "\u{e9} \"A\"\n".to_owned(),
            email: None,
            email_verified: false,
            target: "https://a.example".to_owned(),
        };
        let success = Success {
            client_id: "a/b".to_owned(),
            scopes: scopes.clone(),
            expires_ms: 0,
            hash: None,
            identity: None,
            grant: Some("g".to_owned()),
        };
        let expires = "1970-01-01T00:00:00.000Z";
        let listed = scopes.to_vec();
        let plain = json!({"status": "auth-success", "scheme": "hawk", "expires": expires, "scopes": listed, "clientId": "a/b"});
        let mut whole = plain.clone();
        whole["hash"] = json!("h=");
        whole["identity"] = serde_json::to_value(identity(&who)).unwrap();
        let many = ScopeSet::new((0..1_000).map(|n| format!("many:{n}")));
        let mut long = whole.clone();
        long["scopes"] = json!(many.to_vec());
        let longer = Success { hash: Some("h=".to_owned()), identity: Some(who.clone()), scopes: many, ..success.clone() };
        let known = Success { hash: Some("h=".to_owned()), identity: Some(who), ..success.clone() };
        for (verdict, expected) in [
            (Verdict::Success(success), plain),
            (Verdict::Success(known), whole),
            (Verdict::Success(longer), long),
            (
                Verdict::NoAuth { expires_ms: 0, scopes: ScopeSet::default() },
                json!({"status": "no-auth", "scheme": "none", "expires": expires, "scopes": []}),
            ),
            (
                Verdict::Failed(Reason::Grant { id: "it's \"no\"".to_owned(), state: GrantState::Ended }),
                json!({"status": "auth-failed", "message": "The grant it's \"no\" has ended"}),
            ),
        ] {
            let text = match written(&verdict).unwrap() {
                Content::Bytes(text) => text,
                Content::Parts(parts) => Bytes::from(parts).to_vec(),
                _ => panic!("another content"),
            };
            assert_eq!(serde_json::from_slice::<Value>(&text).unwrap(), expected);
            let shape: AuthenticateHawkResponse = serde_json::from_slice(&text).unwrap();
            assert_eq!(serde_json::to_vec(&shape).unwrap(), text, "in the order of the shape");
        }
        let unable = written(&Verdict::Unable(Unable::ClockBehind { behind_ms: 61_000 }));
        assert_eq!(unable.err(), Some(Unable::ClockBehind { behind_ms: 61_000 }));
    }
}
