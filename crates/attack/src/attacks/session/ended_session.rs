use falconer_client::Method;

use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Expected, Skip, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "ended-session",
    sends: "one route with the cookie of --session, a POST with it to the path of --sign-out, and the route with the same cookie once more",
    finding: "Whoever has a copy of the cookie goes on after its owner has signed out: only the browser has forgotten it.",
    advice: "End the session on the server when somebody signs out, and what it stands for, such as its grant: taking the cookie away is not enough.",
    page: "gateway.md#sessions-of-browsers",
    way: AttackKind::Once(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    let session = case.session()?;
    let sign_out = case.place.sign_out.as_deref().ok_or(Skip::OnlyFor("sessions that may be signed out, where --sign-out says how"))?;
    let ends = case.of_own_page("signing out", session).resource(sign_out).changed(|request| {
        request.method = Method::POST;
        request.body = None;
    });
    Ok(vec![
        case.of_own_page("with the session as it is", session).expected(Expected::Prepare),
        ends.expected(Expected::SignOut),
        case.of_own_page("with the same cookie after signing out", session),
    ])
}
