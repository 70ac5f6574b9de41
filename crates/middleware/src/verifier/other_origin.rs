use falconer_client::Origin;
use falconer_scopes::Expression;
use falconer_wire::{CheckRequest, CheckResponse, CheckedRequest};

use super::{SignedRequest, Verifier};

impl Verifier {
    /// Why a signature that does not hold may be right all the same, for the log of this service: Falconer is asked about the Host header of the request, at most once a
    /// minute. What comes out lets nobody in.
    pub async fn look_for_other_origin(&self, request: &SignedRequest<'_>, host_header: &str) -> Option<String> {
        let now_ms = (self.clock)();
        if self.mismatch.is_recent(now_ms) {
            return None;
        }
        self.mismatch.note(now_ms);
        let question = self.question(request).ok()?;
        for scheme in ["https", "http"] {
            let Ok(seen) = Origin::parse(&format!("{scheme}://{host_header}")) else { continue };
            if seen == *self.origin {
                continue;
            }
            let request = CheckedRequest { host: seen.host.clone(), port: seen.port, ..question.clone() };
            let required = Expression::AllOf(Vec::new());
            let question = CheckRequest {
                request,
                required,
                payload_hash: None,
                reveal: Vec::new(),
                identity: false,
                each: Vec::new(),
                bearer: false,
            };
            let holds = match self.client.check(&question).await {
                Ok(CheckResponse::Failed { reason, .. }) => reason != "bad-mac",
                Ok(CheckResponse::Allowed { .. } | CheckResponse::Denied { .. }) => true,
                Err(_) => false,
            };
            if holds {
                let Origin { host, port } = &*self.origin;
                return Some(format!("verified for {}:{}, your configured origin is {host}:{port}", seen.host, seen.port));
            }
        }
        None
    }
}
