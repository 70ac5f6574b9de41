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
//! | roles: [`RoleSet::expand`], [`takes_part`], [`RoleSet::validate_change`], [`validate`] | `roles` |
//! | by which roles somebody has a scope: [`RoleSet::chain`] | `roles::chain` |
//! | what a list comes to without the list being made: [`AppliedRoles`] | `roles::applied` |
//! | the same, ready to be made a set of: [`Outline`] | `roles::outline` |
//!
//! To add a rule about scopes: add it to `naive` first, then to the fast code, then let `tests/model.rs` generate worlds in which it matters.

mod buffer;
mod expression;
pub mod list;
pub mod naive;
mod roles;
mod scope;
mod scope_set;
mod template;
mod texts;

pub use expression::Expression;
pub use roles::applied::AppliedRoles;
pub use roles::chain::{Chain, ChainLink};
pub use roles::expansion::{Expanded, takes_part};
pub use roles::outline::Outline;
pub use roles::role::{Role, RoleError};
pub use roles::role_set::RoleSet;
pub use roles::validation::validate;
pub use scope::{compare, covers, covers_bytes, is_valid_role_id, is_valid_scope};
pub use scope_set::ScopeSet;
pub use template::{Params, Template, TemplateError};
