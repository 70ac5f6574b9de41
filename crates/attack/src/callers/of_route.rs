use falconer_client::{Credentials, Error};
use falconer_scopes::Expression;

use super::{Caller, Falconer, FalconerVerdict};
use crate::exchange::Signature;
use crate::place::{Access, Place, Route};

/// Alternatives of an expression that are tried until one is allowed.
const MOST_ALTERNATIVES: usize = 16;

/// The callers of one route. Where one could not be made, a sentence says why.
pub(crate) struct Callers {
    /// May do it, and has no scope that it does not need.
    pub allowed: Result<Caller, String>,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// May not: by Falconer's own word.
    pub others: Vec<RefusedCaller>,
    /// Satisfies the route, and is the person only by a star.
    pub stars: Vec<RefusedCaller>,
    /// Everybody has what the route needs.
    pub open: bool,
}

/// A caller who is to be refused.
pub(crate) struct RefusedCaller {
    pub how: String,
    /// Its scopes only look like those that are needed.
    pub look_alike: bool,
    pub caller: Result<Caller, String>,
}

/// What callers of a route are made from.
pub(crate) struct CallerTemplate<'a> {
    pub falconer: &'a Falconer,
    pub place: &'a Place,
    pub operator: Option<&'a Credentials>,
}

impl Callers {
    pub fn none(why: &str) -> Callers {
        Callers { allowed: Err(why.to_owned()), scopes: Vec::new(), others: Vec::new(), stars: Vec::new(), open: false }
    }
}

impl CallerTemplate<'_> {
    /// The callers of a route. `elsewhere`: the scopes of callers that may use other routes. Errors: Falconer did not answer.
    pub async fn of(&self, route: &Route, elsewhere: &[String]) -> Result<Callers, Error> {
        let Access::Needs(required) = &route.access else { return Ok(Callers::none("the route is public")) };
        let mut callers =
            Callers::none("there are no credentials in the environment: `falconer signin` gets some, or set those of a client");
        callers.open = self.verdict(route, required, None).await? == FalconerVerdict::Allowed;
        let Some(operator) = self.operator else { return Ok(callers) };
        let person = route.person.as_ref().map(|person| format!("assume:{person}"));
        let mut refused = String::new();
        for mut scopes in alternatives(required) {
            scopes.extend(person.iter().filter(|person| !scopes.contains(person)).cloned().collect::<Vec<_>>());
            match self.caller(operator, route, required, &scopes, &FalconerVerdict::Allowed).await? {
                Ok(caller) => {
                    (callers.allowed, callers.scopes) = (Ok(caller), scopes);
                    break;
                }
                Err(why) => refused = why,
            }
        }
        if callers.allowed.is_err() {
            callers.allowed = Err(format!("the credentials in the environment are not enough for a caller that may: {refused}"));
            return Ok(callers);
        }
        let other: Vec<String> = elsewhere.iter().filter(|scope| !callers.scopes.contains(scope)).cloned().collect();
        let mut kinds = vec![("by a caller without any scope", false, Vec::new())];
        if !other.is_empty() {
            kinds.push(("by a caller with the scopes of the other routes", false, other));
        }
        let leaves = leaves(required);
        kinds.push(("by a caller whose scope is a character shorter", true, leaves.iter().filter_map(|scope| shorter(scope)).collect()));
        kinds.push((
            "by a caller whose scope is a character longer",
            true,
            leaves.iter().map(|scope| format!("{}-", scope.trim_end_matches('*'))).collect(),
        ));
        for (how, look_alike, scopes) in kinds {
            let caller = self.caller(operator, route, required, &scopes, &FalconerVerdict::Denied).await?;
            callers.others.push(RefusedCaller { how: how.to_owned(), look_alike, caller });
        }
        if let Some(person) = &route.person {
            let kind = person.split_once(':').map_or(person.as_str(), |(kind, _)| kind);
            for star in ["assume:*".to_owned(), format!("assume:{kind}:*")] {
                let scopes: Vec<String> =
                    callers.scopes.iter().filter(|scope| !scope.starts_with("assume:")).cloned().chain([star.clone()]).collect();
                let caller = self.caller(operator, route, required, &scopes, &FalconerVerdict::Allowed).await?;
                callers.stars.push(RefusedCaller { how: format!("by a caller with {star}"), look_alike: false, caller });
            }
        }
        Ok(callers)
    }

    /// The operator narrowed to these scopes, if Falconer says of it what is wanted.
    async fn caller(
        &self,
        operator: &Credentials,
        route: &Route,
        required: &Expression,
        scopes: &[String],
        wanted: &FalconerVerdict,
    ) -> Result<Result<Caller, String>, Error> {
        let caller = match Caller::narrowed(operator, scopes, self.falconer.now_ms()) {
            Ok(caller) => caller,
            Err(why) => return Ok(Err(why)),
        };
        let verdict = self.verdict(route, required, Some(&caller)).await?;
        Ok(match verdict {
            verdict if verdict == *wanted => Ok(caller),
            FalconerVerdict::Allowed => Err("Falconer allows it: everybody, or a role, has what is needed".to_owned()),
            FalconerVerdict::Denied => Err(format!("Falconer denies it to {}", shown(scopes))),
            // Where these credentials do not have a scope, the first line of the message says so.
            FalconerVerdict::Failed(message) => Err(format!("Falconer refuses it: {}", message.lines().next().unwrap_or_default())),
        })
    }

    async fn verdict(&self, route: &Route, required: &Expression, caller: Option<&Caller>) -> Result<FalconerVerdict, Error> {
        let nobody =
            Caller { id: String::new(), token: falconer_client::AccessToken::new(String::new()), certificate: None, authorized: None };
        let signature = Signature::of(caller.unwrap_or(&nobody), self.place, route, self.falconer.now_ms() / 1000);
        self.falconer.verdict(required, &signature, caller.is_some()).await
    }
}

fn shown(scopes: &[String]) -> String {
    if scopes.is_empty() { "nobody in particular".to_owned() } else { scopes.join(", ") }
}

/// Without its last character, and without a star; `None` where nothing is left.
fn shorter(scope: &str) -> Option<String> {
    let mut text = scope.trim_end_matches('*').to_owned();
    text.pop();
    (!text.is_empty() && !text.ends_with('*')).then_some(text)
}

fn leaves(expression: &Expression) -> Vec<String> {
    match expression {
        Expression::Scope(scope) => vec![scope.clone()],
        Expression::AllOf(members) | Expression::AnyOf(members) => members.iter().flat_map(leaves).collect(),
    }
}

/// Sets of scopes that each satisfy an expression, the first of them only.
fn alternatives(expression: &Expression) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = match expression {
        Expression::Scope(scope) => vec![vec![scope.clone()]],
        Expression::AnyOf(members) => members.iter().flat_map(alternatives).collect(),
        Expression::AllOf(members) => members.iter().fold(vec![Vec::new()], |sets, member| {
            let more = alternatives(member);
            let joined = sets.iter().flat_map(|set| more.iter().map(move |other| [set.as_slice(), other].concat()));
            joined.take(MOST_ALTERNATIVES).collect()
        }),
    };
    found.truncate(MOST_ALTERNATIVES);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_alternative_satisfies() {
        let expression: Expression = serde_json::from_str(r#"{"AllOf": ["a", {"AnyOf": ["b", {"AllOf": ["c", "d"]}]}]}"#).unwrap();
        assert_eq!(alternatives(&expression), [vec!["a", "b"], vec!["a", "c", "d"]]);
        for set in alternatives(&expression) {
            assert!(expression.satisfied_by(&falconer_scopes::ScopeSet::new(set)));
        }
        assert_eq!(shorter("notes:read:red").as_deref(), Some("notes:read:re"));
        assert_eq!((shorter("a"), shorter("notes:*").as_deref()), (None, Some("notes")));
    }
}
