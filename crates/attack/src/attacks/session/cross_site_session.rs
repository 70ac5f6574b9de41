use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Expected, Skip, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "cross-site-session",
    sends: "the request of a route that changes something, with the cookie of --session, as a browser sends it for a page of another site: with its Origin, with none, and with what Sec-Fetch-Site says then",
    finding: "Any page that somebody looks at can change something here in their name: the browser sends the cookie along.",
    advice: "Refuse what changes something unless Origin is the service's own, or Sec-Fetch-Site says same-origin. SameSite alone does not keep a neighbour out: cookies ignore ports.",
    page: "gateway.md#sessions-of-browsers",
    way: AttackKind::Route(tries),
};

const SITE: &str = "sec-fetch-site";

fn tries(case: &Case<'_>) -> Tries {
    let session = case.session()?;
    if case.route.only_reads() {
        return Err(Skip::OnlyFor("routes that change something"));
    }
    let as_usual = case.of_own_page("from a page of its own", session);
    let from = |how: &str, headers: &[(&str, &str)]| {
        headers.iter().fold(case.with_session(how, session), |one, (name, value)| one.header(name, value))
    };
    Ok(vec![
        as_usual.expected(Expected::Prepare),
        from("from a page of https://falconer-attack.example", &[("origin", "https://falconer-attack.example"), (SITE, "cross-site")]),
        from("from a page of no origin", &[("origin", "null"), (SITE, "cross-site")]),
        from("from a neighbour on another port", &[("origin", "http://127.0.0.2:1"), (SITE, "same-site")]),
        from("from a site that says nothing of itself", &[]),
    ])
}
