//! What a provider's attributes give here: templates, the list of groups that count, prefixes of groups that mean something of their own.
//!
//! A value that no scope can hold, or that would end in a star, gives nothing; it is never changed until it fits. What is left counts all the same:
//! whatever is missing only makes a person poorer.

mod attribute;
mod rules;
mod template;

pub use attribute::Attribute;
pub(crate) use rules::MOST_GROUPS;
pub use rules::{Mapped, Mapping, MappingError, RefusedValue};
pub use template::{Template, TemplateError};
