use falconer_client::Error;
use falconer_scopes::{Expression, ScopeSet, is_valid_scope};
use falconer_wire::{AuthenticateHawkRequest, AuthenticateHawkResponse, CheckRequest, CheckResponse, CheckedRequest, Each};

use super::{BodyRule, Verified, Verifier, size};
use crate::caller::Asker;
use crate::protected_resource::shows_token;
use crate::{Caller, Refusal};

/// One question names at most so many prefixes.
const MOST_PREFIXES: usize = 16;

/// One request, and what is asked about it.
pub(crate) struct Question<'q> {
    pub request: CheckedRequest,
    pub required: &'q Expression,
    pub reveal: Vec<String>,
    /// Whether these are satisfied, too.
    pub each: &'q [Expression],
}

impl Verifier {
    /// The caller, and for each of the other expressions whether it is satisfied.
    pub(crate) async fn ask(&self, question: &Question<'_>) -> Result<(Verified, Vec<bool>), Refusal> {
        size::refuse_too_large(size::of_question(question), || self.written(question))?;
        self.within(self.put_question(question)).await
    }

    /// As `check` takes it.
    fn written(&self, question: &Question<'_>) -> CheckRequest {
        let Question { request, required, reveal, each } = question;
        CheckRequest {
            request: request.clone(),
            required: (*required).clone(),
            payload_hash: None,
            reveal: reveal.clone(),
            identity: true,
            each: each.to_vec(),
            // Only then a server is told that this service takes tokens: an older one would refuse the question.
            bearer: self.bearer && request.authorization.as_deref().is_some_and(|value| shows_token(value.as_bytes())),
        }
    }

    /// Waits for a turn, runs the question, and reports to the breaker whether Falconer answered. While Falconer is away nothing is run. A caller that hangs up
    /// meanwhile reports nothing.
    pub(super) async fn within<T>(&self, asking: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
        if self.breaker.is_paused((self.clock)()) {
            return Err(Refusal::Paused);
        }
        let turn = self.questions.acquire().await;
        // It may have gone away meanwhile.
        if !self.breaker.may_ask((self.clock)()) {
            return Err(Refusal::Paused);
        }
        let answer = asking.await;
        drop(turn);
        match &answer {
            Err(Refusal::Unavailable(error)) if is_away(error) => self.breaker.report(false, (self.clock)()),
            // What a caller wrote, and a proxy between did not like, says nothing about the next question.
            Err(Refusal::Unavailable(_)) => {}
            _ => self.breaker.report(true, (self.clock)()),
        }
        answer
    }

    /// Where the service says where access tokens come from, whoever shows no credentials is asked for them (RFC 6750, section 3.1).
    pub(super) fn asks_for_credentials(&self, refusal: Refusal) -> Refusal {
        match refusal {
            Refusal::InsufficientScopes { client_id: None, missing, required, id } if self.resource.is_some() => {
                Refusal::NoCredentials { missing, required, id }
            }
            other => other,
        }
    }

    async fn put_question(&self, question: &Question<'_>) -> Result<(Verified, Vec<bool>), Refusal> {
        let Question { request, required, reveal, each } = question;
        let now_ms = (self.clock)();
        if !self.older.is_recent(now_ms) {
            let written = self.written(question);
            match self.client.check(&written).await {
                Ok(answer) => return self.decided(answer, &written),
                Err(error) if is_no_method(&error) => self.older.note(now_ms),
                Err(error) => return Err(not_checked(error)),
            }
        }
        let mut verified = self.listed(&request.of_signature()).await?;
        verified.require(required)?;
        let each = each.iter().map(|one| one.satisfied_by(&verified.caller.scopes)).collect();
        verified.caller.scopes = ScopeSet::new(reveal.iter().flat_map(|prefix| verified.caller.scopes.below(prefix)));
        verified.caller.revealed = Some(self.revealed.clone());
        Ok((verified, each))
    }

    fn decided(&self, answer: CheckResponse, question: &CheckRequest) -> Result<(Verified, Vec<bool>), Refusal> {
        match answer {
            CheckResponse::Allowed { expires, client_id, hash, identity, revealed, each, follow_up, .. } => {
                let each: Vec<bool> = each.unwrap_or_default().iter().map(|one| matches!(one, Each::Allowed {})).collect();
                if each.len() != question.each.len() {
                    return Err(Refusal::Unavailable(Error::Request("Falconer did not answer each expression".to_owned())));
                }
                let body = if client_id.is_some() { self.body_rule_of(hash) } else { BodyRule::Any };
                let scopes = ScopeSet::new(revealed.unwrap_or_default());
                let mut request = question.request.clone();
                // The scheme goes along with a token that is bound to a key, and with no other.
                if request.scheme.is_some() && follow_up.is_some() {
                    (request.dpop, request.follow_up) = (None, follow_up.clone());
                }
                let asker = Asker::new(self.clone(), request);
                let caller = Caller { client_id, scopes, revealed: Some(self.revealed.clone()), expires, identity, asker };
                Ok((Verified { caller, body, follow_up }, each))
            }
            CheckResponse::Denied { missing, client_id, id, .. } => Err(Refusal::InsufficientScopes {
                client_id,
                missing: Box::new(missing),
                required: Box::new(question.required.clone()),
                id: Some(id),
            }),
            CheckResponse::Failed { message, reason, id } => Err(Refusal::from_answer(message, Some(reason), Some(id))),
        }
    }

    /// The prefixes of one question.
    pub(super) fn prefixes(&self, required: &Expression) -> Vec<String> {
        let mut prefixes: Vec<String> = self.revealed.to_vec();
        own_prefixes(required, &mut prefixes);
        prefixes
    }

    pub(super) async fn listed(&self, question: &AuthenticateHawkRequest) -> Result<Verified, Refusal> {
        let answer = self.client.authenticate_hawk(question).await.map_err(not_listed)?;
        let (client_id, scopes, expires, identity, body) = match answer {
            AuthenticateHawkResponse::Success { expires, scopes, client_id, hash, identity, .. } => {
                (Some(client_id), scopes, expires, identity, self.body_rule_of(hash))
            }
            // Nobody signed anything, so there is nothing to compare a body with.
            AuthenticateHawkResponse::NoAuth { expires, scopes, .. } => (None, scopes, expires, None, BodyRule::Any),
            AuthenticateHawkResponse::Failed { message } => return Err(Refusal::from_answer(message, None, None)),
        };
        let asker = Asker::new(self.clone(), question.clone().into());
        let caller = Caller { client_id, scopes: ScopeSet::new(scopes), revealed: None, expires, identity, asker };
        Ok(Verified { caller, body, follow_up: None })
    }

    fn body_rule_of(&self, hash: Option<String>) -> BodyRule {
        match hash {
            Some(hash) => BodyRule::Hash(hash),
            None if self.payload_hash_required => BodyRule::Empty,
            None => BodyRule::Any,
        }
    }
}

/// Whether the next question would be answered no better.
fn is_away(error: &Error) -> bool {
    matches!(error, Error::Network { .. }) || error.status().is_some_and(|status| status >= 500)
}

/// How the scopes of this service begin, by what it requires: up to the first colon. Never all roles of a caller.
fn own_prefixes(required: &Expression, found: &mut Vec<String>) {
    match required {
        Expression::Scope(scope) => {
            let Some((service, _)) = scope.split_once(':') else { return };
            let prefix = format!("{service}:");
            if prefix != "assume:" && is_valid_scope(&prefix) && found.len() < MOST_PREFIXES && !found.contains(&prefix) {
                found.push(prefix);
            }
        }
        Expression::AllOf(parts) | Expression::AnyOf(parts) => parts.iter().for_each(|part| own_prefixes(part, found)),
    }
}

/// A server that has no such method: its 404 has no code.
fn is_no_method(error: &Error) -> bool {
    matches!(error, Error::Api { status: 404, body, .. } if !has_code(body))
}

/// What of a question is the service's own.
const OURS: [&str; 3] = ["data/required", "data/reveal", "data/each"];

/// What it means that Falconer gave no answer, or refused the question itself. That is the caller's fault only where the question repeats what the caller sent, and the
/// author's where it says what a route requires. And it has to be Falconer's own: its errors have a code, those of a proxy between have none.
fn not_checked(error: Error) -> Refusal {
    match error {
        Error::Api { status: 400, message, body, .. } if has_code(&body) && OURS.iter().any(|ours| message.contains(ours)) => {
            Refusal::Misconfigured(format!("Falconer does not understand what this route requires: {}", message.trim()))
        }
        Error::Api { status: 400, message, body, .. } if has_code(&body) && message.contains("data/request") => {
            Refusal::NotVerifiable { message: message.trim().to_owned() }
        }
        error => not_asked(error),
    }
}

/// The same of a question that repeats what the caller sent, and nothing else.
fn not_listed(error: Error) -> Refusal {
    match error {
        Error::Api { status: 400, message, body, .. } if has_code(&body) => Refusal::NotVerifiable { message: message.trim().to_owned() },
        error => not_asked(error),
    }
}

/// What is not about the form of a question. Its head holds nothing that a caller wrote.
fn not_asked(error: Error) -> Refusal {
    match error {
        Error::Api { status: 413, body, .. } if has_code(&body) => Refusal::RequestTooLarge,
        error => Refusal::Unavailable(error),
    }
}

fn has_code(body: &serde_json::Value) -> bool {
    body.get("code").is_some_and(serde_json::Value::is_string)
}
