//! What must not reach a terminal as it is: control characters, and those that turn the direction of a text.
//!
//! Names and addresses in the log are what others chose. A character that moves the cursor, starts a line, or shows a text backwards would let
//! them write what the operator reads.

use std::borrow::Cow;
use std::fmt::Write as _;

use falconer_auth::is_unseen;

use crate::config::LogFormat;

/// Whether a character steers what reads it: all that nobody sees, but the tab.
pub fn is_steering(c: char) -> bool {
    c != '\t' && is_unseen(c)
}

/// A line of the log with escapes in the place of what steers; the line feed at its end stays.
pub fn visible_line(line: &[u8], format: LogFormat) -> Cow<'_, [u8]> {
    let (text, end) = match line {
        [text @ .., b'\n'] => (text, "\n"),
        text => (text, ""),
    };
    // Most lines are plain ASCII, which one pass without branches sees.
    if text.iter().fold(false, |found, byte| found | !matches!(byte, b' '..=b'~')) {
        let text = String::from_utf8_lossy(text);
        let mut escaped = String::with_capacity(line.len() + 16);
        for c in text.chars() {
            match format {
                _ if !is_steering(c) => escaped.push(c),
                LogFormat::Text => escaped.extend(c.escape_default()),
                LogFormat::Json => push_json_escape(&mut escaped, c),
            }
        }
        escaped.push_str(end);
        return Cow::Owned(escaped.into_bytes());
    }
    Cow::Borrowed(line)
}

/// JSON that means the same and holds nothing that steers, but the line feeds and spaces between its parts.
pub fn visible_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        // Inside of texts, JSON writes line feeds as escapes; those that are left are between parts.
        if is_steering(c) && c != '\n' { push_json_escape(&mut escaped, c) } else { escaped.push(c) }
    }
    escaped
}

fn push_json_escape(text: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to memory cannot fail.
        let _ = write!(text, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, format: LogFormat) -> String {
        String::from_utf8(visible_line(text.as_bytes(), format).into_owned()).unwrap()
    }

    /// A request line with U+009B, which many terminals take for `ESC [`, or with U+202E once came out as it was.
    #[test]
    fn nothing_in_a_line_steers_the_terminal() {
        for c in [
            '\u{0}',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{9b}',
            '\u{202e}',
            '\u{2066}',
            '\u{200f}',
            '\u{2028}',
            '\u{feff}',
            '\u{e0041}',
            '\r',
            '\n',
        ] {
            let text = line(&format!("path=/a{c}b name=ä\n"), LogFormat::Text);
            assert_eq!(text, format!("path=/a{}b name=ä\n", c.escape_default()), "{c:?}");
            assert!(!text.trim_end().chars().any(is_steering));
            let json = line(&format!("{{\"path\":\"/a{c}b\"}}\n"), LogFormat::Json);
            assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["path"], format!("/a{c}b"), "{json}");
            assert!(!json.trim_end().chars().any(is_steering));
        }
    }

    #[test]
    fn what_is_harmless_stays_as_it_is() {
        for text in ["", "\n", "plain\n", "no end", "a\tb\n", "Zoë 漢字 🦅\n"] {
            assert_eq!(line(text, LogFormat::Text), text);
            assert_eq!(line(text, LogFormat::Json), text);
        }
        assert!(matches!(visible_line(b"plain\n", LogFormat::Text), Cow::Borrowed(_)));
    }

    #[test]
    fn json_means_the_same() {
        let value = serde_json::json!({ "name": "a\u{9b}\u{202e}b\n", "more": [1, "🦅"] });
        let shown = visible_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(shown.contains("\\u009b\\u202e") && shown.contains("\n  "), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
