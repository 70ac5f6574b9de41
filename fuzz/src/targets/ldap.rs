//! LDAP: what a directory answers, and what somebody types into a filter.

use falconer_login::ldap::protocol::{filter_shape, read_answer};

use super::{Outcome, text};

/// One message.
pub(super) fn answer(bytes: &[u8]) -> Outcome {
    match read_answer(bytes) {
        Ok(kind) => kind.to_owned(),
        Err(why) => why.to_owned(),
    }
}

/// The first line is a filter as an operator writes it, the rest is what somebody types for `{name}`.
pub(super) fn filter(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    let (filter, typed) = text.split_once('\n').unwrap_or((&text, ""));
    let plain = match filter_shape(filter, "ann") {
        Ok(shape) => shape.unwrap_or_else(|| panic!("{filter} needs no more than a name")),
        Err(error) => return error.to_string().chars().take(12).collect(),
    };
    match filter_shape(filter, typed) {
        Ok(Some(shape)) => assert_eq!(shape, plain, "{typed:?} changes {filter}"),
        Ok(None) => assert!(typed.is_empty(), "{typed:?} is lost"),
        Err(error) => panic!("{filter} was fine before: {error}"),
    }
    format!("{} tags", plain.len())
}
