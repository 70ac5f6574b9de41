//! One role, its compiled form, and what can be wrong with roles.

use crate::list;
use crate::scope::{compare, covers, split_star};
use crate::texts::{Texts, read_ahead};
use std::sync::OnceLock;
use thiserror::Error;

/// The token in the scopes of a star role that its parameter replaces.
pub(crate) const TOKEN: &str = "<..>";
/// What every role's pattern begins with: role `x` is the scope `assume:x`.
pub(crate) const ASSUME: &str = "assume:";
/// Stands for the token while scopes with it are sorted. It is below every legal character, and no legal scope contains it.
const PLACEHOLDER: &str = "\u{1a}";

/// A role: whoever satisfies `assume:<role_id>` gets its scopes too. A role whose id ends in `*` is a *star role*: it applies to every
/// scope below its prefix, and `<..>` in its scopes stands for the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// `^[\x20-\x7e]+$`, without `assume:`.
    pub role_id: String,
    /// In stored order.
    pub scopes: Vec<String>,
}

/// Why a set of roles is refused. `Display` is the exact message; on the wire all arrive as `InputError`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RoleError {
    /// A scope of a star role uses `<..>` in a way that has no clear meaning.
    #[error("{message}")]
    InvalidScope {
        /// The exact message.
        message: String,
        /// The scope as stored.
        scope: String,
    },
    /// A role reaches itself.
    #[error("{message}")]
    DependencyCycle {
        /// The exact message.
        message: String,
        /// `assume:` patterns, the first one repeated at the end.
        cycle: Vec<String>,
    },
    /// A star role hands its parameter on to so many others that no expansion may go through it.
    #[error("{message}")]
    TooManySteps {
        /// The exact message.
        message: String,
        /// Whose scopes do.
        role_id: String,
    },
}

impl RoleError {
    /// The code that the reference's own library gives: `InvalidScopeError` or `DependencyCycleError`; `TooManyStepsError` is ours.
    pub fn code(&self) -> &'static str {
        match self {
            RoleError::InvalidScope { .. } => "InvalidScopeError",
            RoleError::DependencyCycle { .. } => "DependencyCycleError",
            RoleError::TooManySteps { .. } => "TooManyStepsError",
        }
    }
}

/// A role with what expansion and validation need to know about it. There may be tens of thousands with a hundred scopes each, so that its texts are in few pieces
/// of memory.
#[derive(Debug)]
pub(crate) struct Compiled {
    id: Box<str>,
    /// In stored order.
    pub(crate) scopes: Texts,
    /// The scopes with the token, of a star role, without those that another of them covers; in sorted order.
    pub(crate) parameterized: Box<[Parameterized]>,
    /// What step A of the validation says about this role.
    pub(crate) error: Option<RoleError>,
    /// Where the verbatim scopes are in the role's list, sorted and normalized, once somebody looks for one.
    sorted: OnceLock<Box<[u32]>>,
}

/// A scope of a star role around its first token.
#[derive(Debug)]
pub(crate) struct Parameterized {
    pub(crate) before: String,
    pub(crate) after: String,
}

impl Compiled {
    pub(crate) fn new(role: Role) -> Compiled {
        let parameterized = if role.role_id.ends_with('*') { parameterized(&role.scopes) } else { Box::default() };
        let error = parameterized.iter().find_map(Parameterized::error);
        let scopes = Texts::new(role.scopes.iter().map(String::as_str));
        Compiled { id: role.role_id.into(), scopes, parameterized, error, sorted: OnceLock::new() }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The role that was compiled.
    pub(crate) fn role(&self) -> Role {
        Role { role_id: self.id.to_string(), scopes: self.scopes.iter().map(str::to_owned).collect() }
    }

    /// The prefix of a star role; `None` for a plain role.
    pub(crate) fn prefix(&self) -> Option<&str> {
        self.id.strip_suffix('*')
    }

    /// The scopes that the role grants as they are: all of a plain role, those without a token of a star role.
    pub(crate) fn verbatim(&self) -> impl Iterator<Item = &str> {
        let all = self.parameterized.is_empty();
        self.scopes.iter().filter(move |scope| all || !scope.contains(TOKEN))
    }

    /// Whether one of the verbatim scopes covers this one.
    pub(crate) fn covers(&self, scope: &str) -> bool {
        // As in a set: only the last one whose stem is not after the scope can.
        let after = self.position_of(|stem| stem <= scope);
        after.checked_sub(1).is_some_and(|last| covers(self.sorted_scope(last), scope))
    }

    /// Whether one of the verbatim scopes begins with `prefix`.
    pub(crate) fn begins_with(&self, prefix: &str) -> bool {
        let first = self.position_of(|stem| stem < prefix);
        first < self.sorted().len() && self.sorted_scope(first).starts_with(prefix)
    }

    fn position_of(&self, before: impl Fn(&str) -> bool) -> usize {
        self.sorted().partition_point(|at| before(split_star(self.scope(*at)).0))
    }

    fn sorted_scope(&self, index: usize) -> &str {
        self.sorted().get(index).map_or("", |at| self.scope(*at))
    }

    fn scope(&self, at: u32) -> &str {
        self.scopes.get(at as usize)
    }

    /// Reads what [`Compiled::sorted`] and [`Compiled::scopes`] are read of.
    pub(crate) fn read_ahead(&self) {
        read_ahead(self.sorted());
        self.scopes.read_ahead();
    }

    /// Where the verbatim scopes are among all, sorted and normalized.
    pub(crate) fn sorted(&self) -> &[u32] {
        self.sorted.get_or_init(|| {
            let all = self.parameterized.is_empty();
            let mut places: Vec<u32> = (0..self.scopes.len()).filter_map(|at| u32::try_from(at).ok()).collect();
            places.retain(|at| all || !self.scope(*at).contains(TOKEN));
            places.sort_unstable_by(|a, b| compare(self.scope(*a), self.scope(*b)));
            places.dedup_by(|at, kept| covers(self.scope(*kept), self.scope(*at)));
            places.into()
        })
    }
}

impl Parameterized {
    /// The scope for a parameter. A parameter that ends in a star swallows what follows the token, which keeps expansion monotone.
    pub(crate) fn with(&self, parameter: &str) -> String {
        self.parts(parameter).concat()
    }

    /// The same in parts.
    pub(crate) fn parts<'s>(&'s self, parameter: &'s str) -> [&'s str; 3] {
        [self.before.as_str(), parameter, if parameter.ends_with('*') { "" } else { self.after.as_str() }]
    }

    /// Whether the scope for a parameter covers this one, without being made.
    pub(crate) fn covers_with(&self, parameter: &str, scope: &str) -> bool {
        let after = if parameter.ends_with('*') { "" } else { self.after.as_str() };
        match (parameter, after) {
            ("", "") => covers(&self.before, scope),
            (parameter, "") => scope.strip_prefix(self.before.as_str()).is_some_and(|rest| covers(parameter, rest)),
            (parameter, after) => {
                let rest = scope.strip_prefix(self.before.as_str()).and_then(|rest| rest.strip_prefix(parameter));
                rest.is_some_and(|rest| covers(after, rest))
            }
        }
    }

    /// The scope that stands for every parameter at once.
    pub(crate) fn worst_case(&self) -> String {
        self.with("*")
    }

    fn error(&self) -> Option<RoleError> {
        let scope = [self.before.as_str(), TOKEN, self.after.as_str()].concat();
        let message = if self.after.contains(TOKEN) {
            format!("parameterized scope '{scope}' contains multiple '<..>'")
        } else if self.after.is_empty() && self.before.ends_with('*') {
            format!("parameterized scope '{scope}' ends with '*<..>' which implies an ambiguous kleene")
        } else {
            return None;
        };
        Some(RoleError::InvalidScope { message, scope })
    }
}

/// The scopes with a token, sorted and normalized among themselves with the token as one character. A covered one is dropped before
/// anything else looks at it: of `g*<..>` and `g*<..>*` only the first exists.
fn parameterized(scopes: &[String]) -> Box<[Parameterized]> {
    let mut texts: Vec<String> =
        scopes.iter().filter(|scope| scope.contains(TOKEN)).map(|scope| scope.replacen(TOKEN, PLACEHOLDER, 1)).collect();
    list::sort(&mut texts);
    let split = |text: String| {
        text.split_once(PLACEHOLDER).map(|(before, after)| Parameterized { before: before.to_owned(), after: after.to_owned() })
    };
    list::normalize(texts).into_iter().filter_map(split).collect()
}
