//! What scopes come to: expandScopes, currentScopes, and whether they satisfy an expression and why.

use falconer_scopes::{Chain, Expression, ScopeSet};

use crate::error::ApiError;
use crate::node::Auth;
use crate::reserved::CURRENT_SCOPES;
use crate::verify::caller::Authentication;
use crate::verify::reading::Reading;

/// So many scopes of an expression are explained.
const MOST_EXPLAINED: usize = 32;

/// Whether scopes satisfy an expression, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeEvaluation {
    /// Whether they do.
    pub is_satisfied: bool,
    /// What of the expression is not satisfied.
    pub missing: Option<Expression>,
    /// The scopes of the expression, in its order.
    pub scopes: Vec<EvaluatedScope>,
}

/// One scope of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluatedScope {
    /// The scope.
    pub scope: String,
    /// Whether it is satisfied.
    pub is_held: bool,
    /// By which roles; `None` where it is not satisfied, or where finding that out takes too much.
    pub chain: Option<Chain>,
}

impl Auth {
    /// What these scopes come to, for a caller with `auth:expand-scopes`. No anonymous is added. An
    /// `InputError` where the roles multiply beyond what one request may cost.
    pub fn expand_scopes<S: AsRef<str>>(&self, who: &Authentication, scopes: &[S]) -> Result<ScopeSet, ApiError> {
        let Reading { snapshot, caller, .. } = self.reading(who)?;
        caller.require_scope("auth:expand-scopes".to_owned())?;
        snapshot.expand_completely(scopes).ok_or_else(|| {
            ApiError::InputError("These scopes lead to too many roles: expanding them takes more than one request may cost".to_owned())
        })
    }

    /// Whether these scopes satisfy an expression, and by which roles they come to each scope of it, for a caller with `auth:expand-scopes`. Errors: the 403, and
    /// an `InputError` where the expression names more than 32 scopes, or the roles multiply beyond what one request may cost.
    pub fn evaluate_scopes<S: AsRef<str>>(
        &self,
        who: &Authentication,
        scopes: &[S],
        required: &Expression,
    ) -> Result<ScopeEvaluation, ApiError> {
        let expanded = self.expand_scopes(who, scopes)?;
        let mut leaves = Vec::new();
        collect(required, &mut leaves);
        if leaves.len() > MOST_EXPLAINED {
            return Err(ApiError::InputError(format!("An expression of more than {MOST_EXPLAINED} scopes is not explained")));
        }
        let snapshot = self.directory();
        let chain = |scope: &&str| snapshot.roles().chain(scopes, scope);
        Ok(ScopeEvaluation {
            missing: required.missing(&expanded),
            is_satisfied: required.satisfied_by(&expanded),
            scopes: leaves
                .iter()
                .map(|scope| EvaluatedScope { scope: (*scope).to_owned(), is_held: expanded.satisfies(scope), chain: chain(scope) })
                .collect(),
        })
    }

    /// What the request itself has, with anonymous, for a caller with `auth:current-scopes`.
    pub fn current_scopes(&self, who: &Authentication) -> Result<ScopeSet, ApiError> {
        let caller = self.caller(who)?;
        caller.require_scope(CURRENT_SCOPES.to_owned())?;
        Ok(caller.scopes)
    }
}

fn collect<'e>(expression: &'e Expression, found: &mut Vec<&'e str>) {
    match expression {
        Expression::Scope(scope) => found.push(scope),
        Expression::AllOf(parts) | Expression::AnyOf(parts) => parts.iter().for_each(|part| collect(part, found)),
    }
}
