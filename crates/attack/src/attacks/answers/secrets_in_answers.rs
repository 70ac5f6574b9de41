use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Expected, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "secrets-in-answers",
    sends: "what makes a service fail: a broken `ext`, a broken body, a path that is not there, an access token in the query; and looks at every answer of all attacks",
    finding: "An answer repeats the Authorization header, the access token, the certificate or the bewit of its request.",
    advice: "Answer errors with a sentence of your own; switch off pages that show the request (debug modes, stack traces, echoed headers).",
    page: "backend.md#the-rules",
    way: AttackKind::Answers(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    let canary = falconer_client::system::new_id() + "0falconer0attack0";
    let separator = if case.route.resource.contains('?') { '&' } else { '?' };
    // As an access grant of the older kind brings it back to a page.
    let granted = format!("{}{separator}clientId=falconer-attack&accessToken={canary}&certificate=%7B%7D", case.route.resource);
    let mut tries = vec![case.unsigned("with an access token in its query").resource(&granted).expected(Expected::Answer)];
    if let Ok(honest) = case.honest() {
        let mut broken = honest.clone();
        broken.ext = Some(STANDARD.encode(format!("{{\"certificate\": \"{canary}")));
        tries.push(case.signed("with an ext that is broken", &broken).expected(Expected::Answer));
        let mut nowhere = honest.clone();
        "/falconer-attack/not-there".clone_into(&mut nowhere.resource);
        if case.route.only_reads() {
            let sent = case.signed("to a path that is not there", &nowhere).resource(&nowhere.resource);
            tries.push(sent.expected(Expected::Answer));
        }
        if let Some(body) = &case.route.body {
            let mut signature = honest;
            signature.hash = Some(falconer_client::payload_hash(&body.content_type, b"{\"broken"));
            let sent = case.signed("with a body that is broken", &signature).expected(Expected::Answer);
            tries.push(sent.changed(|request| request.body = Some(b"{\"broken".to_vec())));
        }
    }
    Ok(tries)
}
