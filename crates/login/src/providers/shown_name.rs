//! What people are called by providers, as far as it is shown.

/// The longest name that is shown, in characters.
const LONGEST_NAME: usize = 200;

/// The name without what can't be seen, and 200 characters of it at most.
pub(crate) fn shown_name(name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control() && !is_direction(*c)).take(LONGEST_NAME).collect();
    name.trim().to_owned()
}

/// Marks that turn the text around them: a name could show what it is not.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
