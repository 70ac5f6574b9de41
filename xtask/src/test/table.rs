//! The table that `cargo xtask test` ends with.

use std::fmt::Write as _;
use std::time::Duration;

use crate::counts::Counts;

/// One part, done.
pub struct Row {
    pub part: &'static str,
    pub seconds: u64,
    pub counts: Counts,
    /// What has to be said again at the end.
    pub said: Option<String>,
    /// Lines that say what failed.
    pub failures: Vec<String>,
}

/// The table, below it what failed, and alone on the last line `N passed, N failed`. The time of the whole is shorter than the sum: parts run side by side.
pub fn of(rows: &[Row], whole: Duration) -> String {
    let mut text = "\n| part | seconds | passed | failed | left out |\n| --- | ---: | ---: | ---: | ---: |\n".to_owned();
    let mut sum = Counts::default();
    for Row { part, seconds, counts, .. } in rows {
        sum += *counts;
        let _ = writeln!(text, "| {part} | {seconds} | {} | {} | {} |", counts.passed, counts.failed, counts.left_out);
    }
    let _ = writeln!(text, "| all | {} | {} | {} | {} |", whole.as_secs(), sum.passed, sum.failed, sum.left_out);
    for row in rows {
        if let Some(said) = &row.said {
            let _ = writeln!(text, "\n{}: {said}", row.part);
        }
    }
    for row in rows.iter().filter(|row| !row.failures.is_empty()) {
        let _ = writeln!(text, "\nfailed in {}:\n{}", row.part, row.failures.join("\n"));
    }
    let _ = write!(text, "\n{} passed, {} failed", sum.passed, sum.failed);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_how_many_passed_and_failed() {
        let row = |part, passed, failed, said: Option<&str>| Row {
            part,
            seconds: 5,
            counts: Counts { passed, failed, left_out: 0 },
            said: said.map(str::to_owned),
            failures: if failed > 0 { vec!["---- b stdout ----".to_owned()] } else { Vec::new() },
        };
        let text = of(&[row("check", 1, 0, None), row("crates", 40, 2, Some("the tolerance was wide"))], Duration::from_secs(7));
        assert_eq!(text.lines().last(), Some("41 passed, 2 failed"));
        assert!(text.contains("\n| crates | 5 | 40 | 2 | 0 |\n| all | 7 | 41 | 2 | 0 |\n\ncrates: the tolerance was wide\n"), "{text}");
        assert!(text.contains("\nfailed in crates:\n---- b stdout ----\n"), "{text}");
    }
}
