//! One role, its compiled form, and what can be wrong with roles.

use crate::scope::{compare, covers, split_star};
use crate::texts::{Span, Texts};
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
    /// Where the scopes with the token lie, before and after it: of a star role, without those that another of them covers; in sorted order.
    parameterized: Box<[(Span, Span)]>,
    /// What step A of the validation says about this role.
    pub(crate) error: Option<RoleError>,
    /// Where the verbatim scopes lie, sorted and normalized, once somebody looks for one.
    sorted: OnceLock<Box<[Span]>>,
}

/// A scope of a star role around its first token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameterized<'r> {
    before: &'r str,
    after: &'r str,
}

impl Compiled {
    pub(crate) fn new(role: Role) -> Compiled {
        let scopes = Texts::new(role.scopes.iter().map(String::as_str));
        let parameterized = if role.role_id.ends_with('*') { parameterized(&scopes) } else { Box::default() };
        let mut compiled = Compiled { id: role.role_id.into(), scopes, parameterized, error: None, sorted: OnceLock::new() };
        let error = compiled.parameterized().find_map(|scope| scope.error());
        compiled.error = error;
        compiled
    }

    /// The scopes with the token, of a star role, without those that another of them covers; in sorted order.
    pub(crate) fn parameterized(&self) -> impl ExactSizeIterator<Item = Parameterized<'_>> {
        self.parameterized.iter().map(|(before, after)| Parameterized { before: self.scopes.at(*before), after: self.scopes.at(*after) })
    }

    /// Where those lie.
    pub(crate) fn parameterized_places(&self) -> &[(Span, Span)] {
        &self.parameterized
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
        self.sorted().partition_point(|span| before(split_star(self.scopes.at(*span)).0))
    }

    fn sorted_scope(&self, index: usize) -> &str {
        self.sorted().get(index).map_or("", |span| self.scopes.at(*span))
    }

    /// Where the texts lie, and the places of those that [`Compiled::sorted`] names.
    pub(crate) fn pieces(&self) -> (&[u8], &[Span]) {
        (self.scopes.bytes(), self.sorted())
    }

    /// Where the verbatim scopes lie, sorted and normalized.
    pub(crate) fn sorted(&self) -> &[Span] {
        self.sorted.get_or_init(|| {
            let all = self.parameterized.is_empty();
            let mut spans: Vec<Span> = self.scopes.spans().filter(|span| all || !self.scopes.at(*span).contains(TOKEN)).collect();
            spans.sort_unstable_by(|a, b| compare(self.scopes.at(*a), self.scopes.at(*b)));
            spans.dedup_by(|span, kept| covers(self.scopes.at(*kept), self.scopes.at(*span)));
            spans.into()
        })
    }
}

impl<'r> Parameterized<'r> {
    /// The scope for a parameter. A parameter that ends in a star swallows what follows the token, which keeps expansion monotone.
    pub(crate) fn with(self, parameter: &str) -> String {
        self.parts(parameter).concat()
    }

    /// The same in parts.
    pub(crate) fn parts<'s>(self, parameter: &'s str) -> [&'s str; 3]
    where
        'r: 's,
    {
        [self.before, parameter, if parameter.ends_with('*') { "" } else { self.after }]
    }

    /// Whether the scope for a parameter covers this one, without being made.
    pub(crate) fn covers_with(self, parameter: &str, scope: &str) -> bool {
        let after = if parameter.ends_with('*') { "" } else { self.after };
        match (parameter, after) {
            ("", "") => covers(self.before, scope),
            (parameter, "") => scope.strip_prefix(self.before).is_some_and(|rest| covers(parameter, rest)),
            (parameter, after) => {
                let rest = scope.strip_prefix(self.before).and_then(|rest| rest.strip_prefix(parameter));
                rest.is_some_and(|rest| covers(after, rest))
            }
        }
    }

    /// The scope that stands for every parameter at once.
    pub(crate) fn worst_case(self) -> String {
        self.with("*")
    }

    fn error(self) -> Option<RoleError> {
        let scope = [self.before, TOKEN, self.after].concat();
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
fn parameterized(scopes: &Texts) -> Box<[(Span, Span)]> {
    let with_token = |span: Span| {
        let text = scopes.at(span);
        let (before, after) = text.split_once(TOKEN)?;
        Some(([before, PLACEHOLDER, after].concat(), span.around(before.len(), TOKEN.len())))
    };
    let mut all: Vec<(String, (Span, Span))> = scopes.spans().filter_map(with_token).collect();
    all.sort_unstable_by(|(a, _), (b, _)| compare(a, b));
    all.dedup_by(|(text, _), (kept, _)| covers(kept, text));
    all.into_iter().map(|(_, around)| around).collect()
}
