use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "stale-time",
    sends: "requests that are signed for twenty minutes ago, and for in twenty minutes",
    finding: "The service takes signatures of another time: what was recorded is good for ever.",
    advice: "Ask Falconer about each request; it refuses what is more than fifteen minutes off. Keep none of its answers.",
    page: "backend.md#what-a-signature-does-not-say",
    way: AttackKind::Route(tries),
};

const TWENTY_MINUTES: i64 = 20 * 60;

fn tries(case: &Case<'_>) -> Tries {
    let (mut before, mut ahead) = (case.honest()?, case.honest()?);
    before.ts_seconds -= TWENTY_MINUTES;
    ahead.ts_seconds += TWENTY_MINUTES;
    Ok(vec![case.signed("signed twenty minutes ago", &before), case.signed("signed for in twenty minutes", &ahead)])
}
