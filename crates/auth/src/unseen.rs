//! Characters that nobody sees.

/// Whether a text with this character could read as something else than it is, or steer what shows it: controls, separators of lines, marks and overrides of
/// direction, what has no width, fillers, and tags. The one list of them: names, purposes, log lines and pages are all held to it.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::is_unseen;

    #[test]
    fn what_is_read_is_seen() {
        assert!(!"Zoë 漢字 🦅 שלום é e\u{301} a\u{a0}b 한".chars().any(is_unseen));
        for unseen in ['\0', '\t', '\n', '\u{85}', '\u{ad}', '\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}', '\u{3164}', '\u{e0041}'] {
            assert!(is_unseen(unseen), "{unseen:?}");
        }
    }
}
