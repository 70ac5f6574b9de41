use falconer_client::{Method, encode_segment};

use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Expected, Skip, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "cookie-attributes",
    sends: "the route as a browser goes to it, without a session, and where the gateway begins a sign-in; and looks at the cookies that come back",
    finding: "A cookie that a browser keeps for the service can be read by scripts, goes along with requests of other sites, or leaves TLS.",
    advice: "Set cookies with HttpOnly, SameSite=Lax or Strict, and over https with Secure.",
    page: "gateway.md#sessions-of-browsers",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    case.guarded()?;
    if case.route.method != Method::GET {
        return Err(Skip::OnlyFor("routes that are read with GET"));
    }
    let as_browser = |how: &str| {
        let page = case.unsigned(how).header("accept", "text/html").header("sec-fetch-mode", "navigate");
        page.header("sec-fetch-dest", "document")
            .header("sec-fetch-site", "none")
            .expected(Expected::Cookies { https: case.place.is_https() })
    };
    let mut tries = vec![as_browser("as a browser goes to it")];
    if let Ok(to) = encode_segment(case.route.path()) {
        tries.push(as_browser("where a gateway begins a sign-in").resource(&format!("/.falconer/sign-in?to={to}")));
    }
    Ok(tries)
}
