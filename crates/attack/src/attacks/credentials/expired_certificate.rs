use crate::attacks::{Attack, AttackKind};
use crate::callers::Caller;
use crate::case::{Case, Skip, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "expired-certificate",
    sends: "certificates that are right but for their time: over since an hour, and valid in an hour",
    finding: "The service takes certificates whose time is over, or has not come.",
    advice: "Ask Falconer about each request, and keep none of its answers longer than `expires`.",
    page: "backend.md#the-rules",
    way: AttackKind::Route(tries),
};

const HOUR_MS: i64 = 3_600_000;

fn tries(case: &Case<'_>) -> Tries {
    case.allowed()?;
    let operator = case.operator.ok_or_else(|| Skip::Untried("there are no credentials in the environment".to_owned()))?;
    let certified =
        |start_ms: i64| Caller::certified(operator, &case.callers.scopes, case.now_ms + start_ms, case.now_ms + start_ms + HOUR_MS);
    Ok(vec![
        case.by("with a certificate that is over since an hour", &certified(-2 * HOUR_MS)),
        case.by("with a certificate that is valid in an hour", &certified(HOUR_MS)),
    ])
}
