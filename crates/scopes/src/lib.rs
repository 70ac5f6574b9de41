//! Scopes and what follows from them: satisfaction, scope sets, scope expressions, roles.
//!
//! This crate is pure: no I/O, no clock, no randomness, no locks that anybody can wait for. Everything that Falconer decides about
//! permissions ends in one of its functions, and `naive` is a second, obvious implementation that the tests hold against the fast one.
//!
//! It knows no clients, no credentials and no grants, and it caches nothing. New clients and roles may not hold a scope ending in `**`; that rule belongs to the
//! four API calls that enforce it.
//!
//! | concept | where |
//! |---|---|
//! | the text of one scope: grammar, [`covers`], [`compare`] | `scope` |
//! | raw lists: sort, normal form, merge, intersection | [`list`] |
//! | a sorted and normalized set | [`ScopeSet`] |
//! | `AllOf` / `AnyOf`, what is missing | [`Expression`] |
//! | expressions with parameters | [`Template`] |
//! | roles: [`RoleSet::expand`], [`takes_part`], [`RoleSet::validate_change`], [`validate`] | `role`, `role_set`, `expansion`, `validation` |
//! | by which roles somebody has a scope: [`RoleSet::chain`] | `chain` |
//! | what a list comes to without the list being made: [`AppliedRoles`] | `applied` |
//!
//! To add a rule about scopes: add it to `naive` first, then to the fast code, then let `tests/model.rs` generate worlds in which it matters.

mod applied;
mod chain;
mod expansion;
mod expression;
pub mod list;
pub mod naive;
mod role;
mod role_set;
mod scope;
mod scope_set;
mod template;
mod validation;

pub use applied::AppliedRoles;
pub use chain::{Chain, ChainLink};
pub use expansion::{Expanded, takes_part};
pub use expression::Expression;
pub use role::{Role, RoleError};
pub use role_set::RoleSet;
pub use scope::{compare, covers, is_valid_role_id, is_valid_scope};
pub use scope_set::ScopeSet;
pub use template::{Params, Template, TemplateError};
pub use validation::validate;
