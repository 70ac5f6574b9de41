//! The answers, as [`falconer_wire::CheckResponse`] would be written, without one being made.

use falconer_auth::{Allowed, Decision, Holder};
use falconer_scopes::Expression;
use falconer_wire::error::insufficient_scopes;

use crate::api::answer::failure::text_of;
use crate::api::answer::words;
use crate::api::handlers::check::question::Question;
use crate::api::handlers::hawk::{Object, identity};
use crate::api::handlers::time;

/// A message repeats an expression of so many bytes at most: indented, it may become many times as long.
const LONGEST_REPEATED: usize = 1024;

/// `id`: of the refusal, where it is one.
pub(super) fn answer(question: &Question<'_>, decision: &Decision, id: &str) -> Vec<u8> {
    match decision {
        Decision::Allowed(allowed) => self::allowed(allowed),
        Decision::Denied { holder, missing } => {
            let client_id = holder.client_id.as_deref();
            let mut json = Object::new("denied", 512);
            json.value("reason", if client_id.is_some() { words::SCOPES_MISSING } else { words::NO_CREDENTIALS });
            json.value("message", &denied_text(client_id, missing, &question.required));
            json.value("id", id);
            json.value("missing", missing);
            of_holder(&mut json, holder);
            json.end()
        }
        Decision::Failed(reason) => {
            let mut json = Object::new("failed", 256);
            json.value("reason", words::of(reason));
            json.value("message", &text_of(reason));
            json.value("id", id);
            json.end()
        }
    }
}

fn allowed(allowed: &Allowed) -> Vec<u8> {
    let mut json = Object::new("allowed", 192);
    of_holder(&mut json, &allowed.holder);
    if let Some(who) = &allowed.identity {
        json.value("identity", &identity(who));
    }
    if let Some(revealed) = &allowed.revealed {
        json.value("revealed", &revealed.scopes);
        if revealed.more {
            json.value("revealedMore", &true);
        }
    }
    if let Some(each) = &allowed.each {
        let each: Vec<falconer_wire::Each> = each.iter().map(self::each).collect();
        json.value("each", &each);
    }
    if let Some(follow_up) = &allowed.follow_up {
        json.value("followUp", follow_up);
    }
    json.end()
}

fn each(missing: &Option<Expression>) -> falconer_wire::Each {
    match missing {
        None => falconer_wire::Each::Allowed {},
        Some(missing) => falconer_wire::Each::Denied { missing: missing.clone() },
    }
}

fn of_holder(json: &mut Object, holder: &Holder) {
    json.value("expires", &time(holder.expires_ms));
    if let Some(client_id) = &holder.client_id {
        json.value("clientId", client_id);
    }
    if let Some(hash) = &holder.hash {
        json.value("hash", hash);
    }
}

/// The protocol's text of a 403, which the service may pass on.
fn denied_text(client_id: Option<&str>, missing: &Expression, required: &Expression) -> String {
    if required.text_bytes() <= LONGEST_REPEATED {
        return insufficient_scopes(client_id, missing, required);
    }
    match client_id {
        None => "This request requires credentials with scopes that are too many to be listed here".to_owned(),
        Some(client_id) => format!("Client ID {client_id} does not have sufficient scopes; what is missing is too long to be listed here"),
    }
}

/// `{"checks": [...]}`
pub(super) fn list(answers: &[Vec<u8>]) -> Vec<u8> {
    let mut text = b"{\"checks\":[".to_vec();
    for (at, answer) in answers.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        text.extend_from_slice(answer);
    }
    text.extend_from_slice(b"]}");
    text
}
