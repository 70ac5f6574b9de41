use std::fmt;
use std::sync::Arc;

use falconer_scopes::Expression;
use falconer_wire::CheckedRequest;

use crate::Refusal;
use crate::verifier::{Question, Verifier};

/// How many expressions, how many bytes of them, and how many of their members one question carries at most.
const MOST_EACH: usize = 128;
const MOST_BYTES: usize = 12 * 1024;
const MOST_QUOTES: usize = 480;

/// Asks about the same request once more. Debug shows nothing of it: the signature is one.
#[derive(Clone)]
pub(crate) struct Asker(Arc<(Verifier, CheckedRequest)>);

impl Asker {
    pub(crate) fn new(verifier: Verifier, request: CheckedRequest) -> Asker {
        Asker(Arc::new((verifier, request)))
    }

    /// Errors where `required` is not satisfied; for each of the others whether it is.
    pub(super) async fn ask(&self, required: &Expression, each: &[Expression]) -> Result<Vec<bool>, Refusal> {
        let (verifier, request) = &*self.0;
        let question = Question { request: request.clone(), required, reveal: Vec::new(), each };
        Ok(verifier.ask(&question).await?.1)
    }

    #[cfg(test)]
    pub(super) fn for_tests() -> Asker {
        let parts = CheckedRequest {
            method: "get".to_owned(),
            resource: "/".to_owned(),
            host: "notes.example".to_owned(),
            port: 443,
            authorization: None,
            source_ip: None,
            dpop: None,
            follow_up: None,
            scheme: None,
        };
        Asker::new(Verifier::new("http://localhost:1", "https://notes.example").unwrap(), parts)
    }
}

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asker").finish_non_exhaustive()
    }
}

/// How many of these, at least one, go into one question.
pub(super) fn fits(required: &[Expression]) -> usize {
    let (mut bytes, mut quotes) = (0, 0);
    let fitting = required.iter().take(MOST_EACH).take_while(|one| {
        let text = serde_json::to_string(one).unwrap_or_default();
        bytes += text.len();
        quotes += text.matches('"').count();
        bytes <= MOST_BYTES && quotes <= MOST_QUOTES
    });
    fitting.count().max(1)
}
