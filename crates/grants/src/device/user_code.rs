//! The short code that a device shows and a person types.

/// Consonants: nothing in them looks like a digit, and no words come about (RFC 8628 section 6.1).
pub(super) const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// 34 bits. How often somebody may try is bounded.
pub(super) const LENGTH: usize = 8;

/// What somebody typed as it is looked up: capitals, without what stands between. `None`: no code looks like that.
pub(super) fn normal(typed: &str) -> Option<String> {
    let mut code = String::with_capacity(LENGTH);
    for c in typed.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{2010}'..='\u{2015}' | '\u{a0}')) {
        let letter = c.to_ascii_uppercase();
        if code.len() == LENGTH || !u8::try_from(letter).is_ok_and(|letter| LETTERS.contains(&letter)) {
            return None;
        }
        code.push(letter);
    }
    (code.len() == LENGTH).then_some(code)
}

/// As it is shown: `BCDF-GHJK`.
pub(super) fn shown(code: &str) -> String {
    let (first, second) = code.split_at_checked(LENGTH / 2).unwrap_or((code, ""));
    format!("{first}-{second}")
}

#[cfg(test)]
mod tests {
    use super::{normal, shown};

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        for typed in ["BCDFGHJK", "bcdfghjk", "BCDF-GHJK", " bcdf ghjk ", "b-c-d-f-g-h-j-k", "BCDF\u{2013}GHJK"] {
            assert_eq!(normal(typed).as_deref(), Some("BCDFGHJK"), "{typed}");
        }
        assert_eq!(shown("BCDFGHJK"), "BCDF-GHJK");
    }

    #[test]
    fn what_is_no_code_is_not_looked_up() {
        for typed in ["", "BCDF", "BCDFGHJKL", "BCDFGHJA", "BCDFGHJ1", "BCDFGHJ\u{212a}", "BCDF_GHJK", "bcdfghj\u{df}"] {
            assert_eq!(normal(typed), None, "{typed}");
        }
    }
}
