//! The text of one scope: what is legal, what covers what, which comes first.

use std::cmp::Ordering;

/// Whether `s` is a scope: any mix of space and printable ASCII, the empty string included (`^[\x20-\x7e]*$`).
pub fn is_valid_scope(s: &str) -> bool {
    // No early exit, so that the compiler can compare many bytes at once.
    s.bytes().fold(true, |all, byte| all & (0x20..=0x7e).contains(&byte))
}

/// Whether `s` can name a role: like a scope, but at least one character (`^[\x20-\x7e]+$`).
pub fn is_valid_role_id(s: &str) -> bool {
    !s.is_empty() && is_valid_scope(s)
}

/// Whether holding `held` satisfies `required`: the texts are equal, or `held` ends in `*` and `required` begins with the
/// rest of it. A star in `required` is ordinary text: `a*` is covered by `a*` and `*`, not by `ab`.
pub fn covers(held: &str, required: &str) -> bool {
    covers_bytes(held.as_bytes(), required.as_bytes())
}

/// [`covers`] of texts as bytes.
pub fn covers_bytes(held: &[u8], required: &[u8]) -> bool {
    match held.strip_suffix(b"*") {
        // The prefix test includes equality: a text begins with itself minus its star.
        Some(prefix) => required.starts_with(prefix),
        None => held == required,
    }
}

/// The total order of scopes: by the text without one trailing star, and of two that differ only in that star, the starred
/// one first. `Equal` only for equal texts.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (a_stem, a_starred) = split_star(a);
    let (b_stem, b_starred) = split_star(b);
    a_stem.cmp(b_stem).then(b_starred.cmp(&a_starred))
}

/// The scope without one trailing star, and whether it had one.
pub(crate) fn split_star(scope: &str) -> (&str, bool) {
    match scope.strip_suffix('*') {
        Some(stem) => (stem, true),
        None => (scope, false),
    }
}
