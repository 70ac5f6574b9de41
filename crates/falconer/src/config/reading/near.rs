//! What is said of a wrong name or a wrong type: which name is most like it, and what is wanted in the words of the documentation.

/// Below this a name is another one, not a misspelled one; clap takes about the same for options.
const LIKE: f64 = 0.8;

/// The known name that is most like `wrong`, if one is like it.
pub fn nearest<'n>(wrong: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let with_likeness = known.map(|name| (strsim::jaro(wrong, name), name)).filter(|(likeness, _)| *likeness > LIKE);
    with_likeness.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, name)| name)
}

/// The message of the reader of TOML, with Rust's names of types in words. The library says what it expected in its own words only (docs/adr/0283).
pub fn in_words(message: &str) -> String {
    let mut text = message.to_owned();
    for (type_name, words) in [
        ("expected a sequence", "expected a list, such as [\"one\", \"two\"]"),
        ("expected a string", "expected a string in quotes, such as \"text\""),
        ("expected a boolean", "expected true or false"),
        ("expected u16", "expected a whole number, at most 65535"),
        ("expected u32", "expected a whole number that is not negative"),
        ("expected u64", "expected a whole number that is not negative"),
        ("expected usize", "expected a whole number that is not negative"),
    ] {
        text = text.replace(type_name, words);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_name_is_told_from_another_one() {
        let known = || ["listen", "metrics_listen", "root_url", "grant.max_ttl"].into_iter();
        assert_eq!(nearest("listne", known()), Some("listen"));
        assert_eq!(nearest("grant.max_tll", known()), Some("grant.max_ttl"));
        assert_eq!(nearest("tls", known()), None);
    }

    #[test]
    fn the_reader_of_toml_in_words() {
        assert!(in_words("invalid type: string \"lots\", expected u32").ends_with("expected a whole number that is not negative"));
    }
}
