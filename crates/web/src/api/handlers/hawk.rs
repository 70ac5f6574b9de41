//! authenticateHawk and the two trial methods.

use falconer_auth::{ApiError, Auth, DisclosedIdentity, NewRefusal, RefusedBy, RefusedFor, RequestParts, TestView, Verdict};
use falconer_wire::{Identity, TestAuthenticateRequest, TestAuthenticateResponse};
use serde::Serialize;
use serde_json::Value;

use crate::api::answer::failure::{Failure, text_of};
use crate::api::answer::reply::Reply;
use crate::api::handlers::plain::HawkRequest;
use crate::api::handlers::{Answer, Request, time};
use crate::api::request::signed::payload_mismatch;
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
    let verdict = request.auth.verify(&parts).await;
    request.metrics.verified(&verdict);
    Ok(reply(request.auth, &parts, written(&verdict)?, &verdict))
}

/// The same for a request that was read on the short way; `None` where the long way has to say why this node can't tell.
pub(crate) async fn answer(auth: &Auth, metrics: &Metrics, request: &HawkRequest<'_>) -> Option<Reply> {
    let parts = request.parts();
    let verdict = auth.verify(&parts).await;
    let text = written(&verdict).ok()?;
    metrics.verified(&verdict);
    Some(reply(auth, &parts, text, &verdict))
}

fn reply(auth: &Auth, parts: &RequestParts<'_>, text: Vec<u8>, verdict: &Verdict) -> Reply {
    let reply = Reply { plain: true, ..Reply::json_bytes(text) };
    let Verdict::Failed(reason) = verdict else { return reply };
    // The body is the protocol's, which has no place for the id.
    let why = RefusedFor::Credentials(reason.clone());
    let id = auth.note_refusal(NewRefusal { by: RefusedBy::AuthenticateHawk, parts: Some(*parts), why, payload_hash: None });
    Reply { reason: Some(Label::of(verdict)), ..reply.refused_as(&id) }
}

/// The answer as [`falconer_wire::AuthenticateHawkResponse`] would be written, without one being made. An error where the server is at fault: a service
/// must not take that for its caller's.
fn written(verdict: &Verdict) -> Result<Vec<u8>, ApiError> {
    Ok(match verdict {
        Verdict::Success(success) => {
            let mut json = Object::new("auth-success", 160 + success.scopes.json().len());
            json.value("scheme", "hawk");
            json.value("expires", &time(success.expires_ms));
            json.ready("scopes", success.scopes.json());
            json.value("clientId", &success.client_id);
            if let Some(hash) = &success.hash {
                json.value("hash", hash);
            }
            if let Some(who) = &success.identity {
                json.value("identity", &identity(who));
            }
            json.end()
        }
        Verdict::NoAuth { expires_ms, scopes } => {
            let mut json = Object::new("no-auth", 128 + scopes.json().len());
            json.value("scheme", "none");
            json.value("expires", &time(*expires_ms));
            json.ready("scopes", scopes.json());
            json.end()
        }
        Verdict::Failed(reason) => {
            let message = text_of(reason);
            let mut json = Object::new("auth-failed", 48 + message.len());
            json.value("message", &message);
            json.end()
        }
        Verdict::Unable(unable) => return Err(unable.clone().into()),
    })
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
    fn ready(&mut self, key: &str, json: &str) {
        self.0.push(b',');
        self.key(key);
        self.0.extend_from_slice(json.as_bytes());
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
    use falconer_scopes::ScopeSet;
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
        let known = Success { hash: Some("h=".to_owned()), identity: Some(who), ..success.clone() };
        for (verdict, expected) in [
            (Verdict::Success(success), plain),
            (Verdict::Success(known), whole),
            (
                Verdict::NoAuth { expires_ms: 0, scopes: ScopeSet::default() },
                json!({"status": "no-auth", "scheme": "none", "expires": expires, "scopes": []}),
            ),
            (
                Verdict::Failed(Reason::Grant { id: "it's \"no\"".to_owned(), state: GrantState::Ended }),
                json!({"status": "auth-failed", "message": "The grant it's \"no\" has ended"}),
            ),
        ] {
            let text = written(&verdict).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&text).unwrap(), expected);
            let shape: AuthenticateHawkResponse = serde_json::from_slice(&text).unwrap();
            assert_eq!(serde_json::to_vec(&shape).unwrap(), text, "in the order of the shape");
        }
        assert_eq!(written(&Verdict::Unable(Unable::ClockBehind { behind_ms: 61_000 })), Err(ApiError::ClockBehind { behind_ms: 61_000 }));
    }
}
