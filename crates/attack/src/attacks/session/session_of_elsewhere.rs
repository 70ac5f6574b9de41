use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Expected, Skip, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "session-of-elsewhere",
    sends: "the request of the route with the cookie of --session, and then with that of --other-session: under its own name, and under the name that it has here",
    finding: "Whoever is signed in at another host is let in here, by a cookie that was never written for this one.",
    advice: "Seal a session with a key of the host's own, or with the host's origin as a part of what is sealed, and look at it when it is opened.",
    page: "gateway.md#sessions-of-browsers",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    let session = case.session()?;
    let other = case.place.other_session.as_deref().ok_or(Skip::OnlyFor("sessions of another host, whose cookie --other-session gives"))?;
    let mut tries = vec![case.of_own_page("with the session as it is", session).expected(Expected::Prepare)];
    tries.push(case.of_own_page("with the cookie of the other host", other));
    tries.extend(
        renamed(session, other).map(|renamed| case.of_own_page("with the cookie of the other host, under the name of this one", &renamed)),
    );
    Ok(tries)
}

/// The first value of the other host under the first name here, where these are two names.
fn renamed(session: &str, other: &str) -> Option<String> {
    let (name, _) = session.split_once('=')?;
    let (other_name, rest) = other.split_once('=')?;
    let value = rest.split(';').next().unwrap_or_default();
    (name != other_name).then(|| format!("{name}={value}"))
}

#[cfg(test)]
mod tests {
    use super::renamed;

    #[test]
    fn the_other_value_is_sent_under_the_name_here() {
        assert_eq!(renamed("__Host-s=mine; a=b", "s=theirs; c=d").unwrap(), "__Host-s=theirs");
        assert_eq!(renamed("s=mine", "s=theirs"), None);
    }
}
