use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Expected, Skip, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "other-spelling",
    sends: "the path in other spellings, without credentials: two slashes, an encoded letter, a slash or parameters at its end, upper case",
    finding: "Another spelling of the path leads past the check to the same answer.",
    advice: "Let the guard and the service read the same path; behind a proxy, refuse what could be read otherwise, as the gateway does.",
    page: "gateway.md#the-rules",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    case.allowed()?;
    if !case.route.only_reads() {
        return Err(Skip::OnlyFor("routes that are read, with GET"));
    }
    let path = case.route.path();
    let query = case.route.resource.get(path.len()..).unwrap_or_default();
    let mut paths = vec![format!("/{path}"), format!("{path};x=1"), format!("{}%2F", path.trim_end_matches('/')), path.to_uppercase()];
    paths.push(path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned));
    if let Some((at, letter)) = path.char_indices().find(|(_, letter)| letter.is_ascii_alphabetic()) {
        let (before, after) = (path.get(..at).unwrap_or_default(), path.get(at + 1..).unwrap_or_default());
        paths.push(format!("{before}%{:02x}{after}", u32::from(letter)));
    }
    paths.retain(|other| !other.is_empty() && other != path);
    Ok(paths
        .into_iter()
        .map(|other| case.unsigned(format!("as {other}")).resource(&format!("{other}{query}")).expected(Expected::SameAnswer))
        .collect())
}
