//! What people are called by providers, as far as it is shown.

use falconer_auth::is_unseen;

/// The longest name that is shown, in characters.
const LONGEST_NAME: usize = 200;

/// The name without what can't be seen, and 200 characters of it at most.
pub(crate) fn shown_name(name: &str) -> String {
    let name: String = name.chars().filter(|c| !is_unseen(*c) || is_joiner(*c)).take(LONGEST_NAME).collect();
    name.trim().to_owned()
}

/// Names of several languages are spelled with them, and they turn nothing.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}
