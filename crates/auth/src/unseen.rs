//! Characters that nobody sees.

/// Whether a text with this character could read as something else than it is, or steer what shows it: controls, separators of lines, marks and overrides of
/// direction, what has no width, fillers, blank patterns, and tags. The one list of them: names, purposes, log lines and pages are all held to it.
///
/// All that Unicode calls default ignorable, but for the selectors of variants, by which an emoji or a letter of a name is drawn as it should be.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}')
        || matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}')
        || matches!(c, '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::is_unseen;

    #[test]
    fn what_is_read_is_seen() {
        assert!(!"Zoë 漢字 葛\u{e0100} 🦅 ❤\u{fe0f} שלום é e\u{301} a\u{a0}b 한 ⠿".chars().any(is_unseen));
        let lines_and_directions = ['\0', '\t', '\n', '\u{85}', '\u{202e}', '\u{2066}'];
        let blanks =
            ['\u{ad}', '\u{34f}', '\u{180b}', '\u{200b}', '\u{2800}', '\u{3164}', '\u{feff}', '\u{fff0}', '\u{1d173}', '\u{e0041}'];
        for unseen in [&lines_and_directions[..], &blanks].concat() {
            assert!(is_unseen(unseen), "{unseen:?}");
        }
    }
}
