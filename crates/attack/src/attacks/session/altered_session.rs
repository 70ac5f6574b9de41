use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Expected, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "altered-session",
    sends: "the request of the route with the cookie of --session, and then with cookies of which a character is another one, or the end is missing",
    finding: "The service takes what a browser sends as its session for true, although the service never wrote it.",
    advice: "Seal what lies in a cookie with a key of the service, or keep sessions on the server under a random name.",
    page: "gateway.md#sessions-of-browsers",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    let session = case.session()?;
    let mut tries = vec![case.of_own_page("with the session as it is", session).expected(Expected::Prepare)];
    for (how, altered) in [
        ("with another first character", replaced(session, 0)),
        ("with another character in the middle", replaced(session, session.len() / 2)),
        ("with another last character", replaced(session, session.len().saturating_sub(2))),
        ("without its last quarter", session.get(..session.len() * 3 / 4).map(str::to_owned)),
    ] {
        tries.extend(altered.map(|altered| case.of_own_page(how, &altered)));
    }
    Ok(tries)
}

/// The cookie with another letter behind the sign of the first name, so far in. The last character of base64 may hold bits that nobody reads, so that it is left alone.
fn replaced(session: &str, at: usize) -> Option<String> {
    let begin = session.find('=')? + 1;
    let at = at.max(begin);
    let (before, rest) = session.split_at_checked(at)?;
    let mut rest = rest.chars();
    let other = if rest.next()? == 'A' { 'B' } else { 'A' };
    Some(format!("{before}{other}{}", rest.as_str()))
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn one_character_of_the_value_is_another_one() {
        assert_eq!(replaced("s=AbC", 0).unwrap(), "s=BbC");
        assert_eq!(replaced("s=abc", 3).unwrap(), "s=aAc");
        assert_eq!((replaced("s=", 0), replaced("none", 0)), (None, None));
    }
}
