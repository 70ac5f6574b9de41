use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use falconer_client::Value;

use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Expected, Skip, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "large-certificate",
    sends: "a header of 100 KB with a certificate that is right, and then the right request once more",
    finding: "The service lets in, fails, or hangs for a header of 100 KB.",
    advice: "Refuse large headers before anything is done with them, with 431 or 401; most servers have a limit for heads, and Falconer refuses above 16 KiB.",
    page: "operation.md#limits",
    way: AttackKind::Route(tries),
};

/// In base64 it becomes a third more.
const PADDING_BYTES: usize = 75_000;

fn tries(case: &Case<'_>) -> Tries {
    let honest = case.honest()?;
    if case.http2 {
        // Servers refuse the whole connection (GOAWAY) and leave it open, which looks like one that hangs.
        return Err(Skip::Untried(
            "over HTTP/2 such a header ends the connection without an answer: it is tried without --http2".to_owned(),
        ));
    }
    let certificate = case.allowed()?.certificate.clone().unwrap_or_default();
    let mut large: Value = serde_json::from_str(&certificate).map_err(|_| Skip::Untried("the caller has no certificate".to_owned()))?;
    if let Some(object) = large.as_object_mut() {
        object.insert("padding".to_owned(), "x".repeat(PADDING_BYTES).into());
    }
    let mut signature = honest.clone();
    signature.ext = Some(STANDARD.encode(serde_json::json!({ "certificate": large }).to_string()));
    Ok(vec![
        case.signed("with a certificate of 100 KB", &signature),
        case.signed("with the right certificate, after one of 100 KB", &honest).expected(Expected::Works),
    ])
}
