//! How large a question may be. Falconer reads no larger one, and may close the connection while it is still being sent, which looks as though it were away. So it is refused before
//! anything is asked, and says nothing about Falconer: else strangers could shut everybody out, or have everybody wait while it is away.

use falconer_wire::CheckedRequest;
use serde::Serialize;

use super::Question;
use crate::Refusal;

/// `docs/operation.md`, what a stranger may cost.
const LARGEST: usize = 64 * 1024;

/// Errors: Falconer would not read it. `text_bytes`: of the texts in it; what is so small for certain is not written for this.
pub(super) fn refuse_too_large<T: Serialize>(text_bytes: usize, question: impl FnOnce() -> T) -> Result<(), Refusal> {
    // In JSON a character takes at most six bytes, and what stands between the texts is little.
    let may_be = text_bytes > LARGEST / 8;
    match may_be && serde_json::to_vec(&question()).is_ok_and(|text| text.len() > LARGEST) {
        true => Err(Refusal::RequestTooLarge),
        false => Ok(()),
    }
}

/// The bytes of the texts that a caller sent.
pub(super) fn of_request(request: &CheckedRequest) -> usize {
    let CheckedRequest { method, resource, authorization, dpop, follow_up, .. } = request;
    let more = [authorization, dpop, follow_up].into_iter().flatten();
    method.len() + resource.len() + more.map(String::len).sum::<usize>()
}

/// The same of a whole question.
pub(super) fn of_question(question: &Question<'_>) -> usize {
    let Question { request, required, reveal, each } = question;
    let expressions = std::iter::once(*required).chain(*each).map(|one| one.text_bytes());
    of_request(request) + expressions.sum::<usize>() + reveal.iter().map(String::len).sum::<usize>()
}
