use std::fmt;

/// One mistake in a file that people write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, from 1.
    pub line: usize,
    /// A sentence.
    pub text: String,
}

/// All mistakes of a file. `Display` has a line for each: `line 7: the path ...`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, Problem { line, text }) in self.0.iter().enumerate() {
            let end = if number == 0 { "" } else { "\n" };
            write!(f, "{end}line {line}: {text}")?;
        }
        Ok(())
    }
}

/// Finds lines by position.
pub(crate) struct Lines<'t>(pub &'t str);

impl Lines<'_> {
    /// The line, from 1, of a position in bytes.
    pub(crate) fn at(&self, position: usize) -> usize {
        self.0.bytes().take(position).filter(|byte| *byte == b'\n').count() + 1
    }

    /// What the reader of TOML found.
    pub(crate) fn of_toml(&self, error: &toml::de::Error) -> Problems {
        let line = error.span().map_or(1, |span| self.at(span.start));
        Problems(vec![Problem { line, text: error.message().trim().replace('\n', "; ") }])
    }
}
