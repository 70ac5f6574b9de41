//! What failed, read from the lines of the runners: the end of a run names it again, because whoever looks at a long run sees its end first.

use std::collections::VecDeque;

/// Lines of one failure that are said again.
const LINES_OF_ONE: usize = 10;
/// Lines of one run that are said again.
const LINES_OF_ALL: usize = 24;
/// Characters of a line that are said again.
const CHARACTERS: usize = 160;
/// Of a run that failed in none of the known ways, its last lines are said again.
const LAST_LINES: usize = 12;

/// Reads the lines of one run.
#[derive(Default)]
pub struct Failures {
    kept: Vec<String>,
    last: VecDeque<String>,
    left: usize,
    section: Section,
}

/// Where in the output of a runner a line stands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Section {
    #[default]
    Run,
    /// Cargo's `failures:` up to the summary of a binary; node's `failing tests` and pytest's `FAILURES` up to the end.
    Failing,
}

impl Failures {
    pub fn read(&mut self, line: &str) {
        if !line.trim().is_empty() {
            if self.last.len() == LAST_LINES {
                self.last.pop_front();
            }
            self.last.push_back(shortened(line));
        }
        match self.section {
            Section::Run if begins_failures(line) => self.section = Section::Failing,
            Section::Failing if line.starts_with("test result: ") => self.section = Section::Run,
            _ => {}
        }
        if begins_one(line, self.section) {
            self.left = LINES_OF_ONE;
        } else if line.starts_with("test result: ") || line == "stack backtrace:" {
            self.left = 0;
        }
        if self.left > 0 && !line.trim().is_empty() && self.kept.len() < LINES_OF_ALL {
            self.left -= 1;
            self.kept.push(shortened(line));
        }
    }

    /// What is said again of a run that failed.
    pub fn end(self) -> Vec<String> {
        if self.kept.is_empty() { self.last.into() } else { self.kept }
    }
}

fn begins_failures(line: &str) -> bool {
    let bare = line.trim_matches(['=', ' ', '\u{2716}']);
    matches!(bare, "failures:" | "failing tests:" | "FAILURES" | "ERRORS")
}

/// Whether a failure begins with this line: a test of cargo, node or pytest, an error of a compiler, a panic of a program.
fn begins_one(line: &str, section: Section) -> bool {
    let compiler = line.starts_with("error[") || (line.starts_with("error: ") && !line.starts_with("error: test failed"));
    let seed =
        (line.contains(": FAILED") && !line.starts_with("test result: ")) || (line.contains("panicked at ") && section == Section::Run);
    let cargo = line.starts_with("---- ") && line.ends_with(" stdout ----");
    let others = line.starts_with('\u{2716}') || line.starts_with("FAILED ") || line.starts_with("E  ");
    // Where nobody looks, node says it at once.
    let tap = line.trim_start().starts_with("not ok ");
    compiler
        || seed
        || tap
        || (section == Section::Failing && (cargo || others))
        || (section == Section::Run && line.starts_with("--- FAIL: "))
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(CHARACTERS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> String {
        let mut failures = Failures::default();
        lines.lines().for_each(|line| failures.read(line));
        failures.end().join("\n")
    }

    #[test]
    fn the_test_that_failed_is_said_again_with_its_reason() {
        let cargo = "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\nsuccesses:\n\n---- a stdout ----\nseed 1\n\nfailures:\n\n---- b stdout ----\n\
                     thread 'b' panicked at x.rs:1:2:\nleft: 1\nright: 2\nstack backtrace:\n   0: begin\n\nfailures:\n    b\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored\n\
                     running 1 test\ntest c ... ok\n---- c stdout ----\nall is well\ntest result: ok. 1 passed; 0 failed\n";
        let said = read(cargo);
        assert!(said.starts_with("---- b stdout ----\nthread 'b' panicked at x.rs:1:2:\nleft: 1\nright: 2"), "{said}");
        assert!(!said.contains("seed 1") && !said.contains("all is well") && !said.contains("0: begin"), "{said}");
    }

    #[test]
    fn each_runner_is_understood() {
        let pytest = "..F\n====== FAILURES ======\n_____ test_x _____\n    def test_x():\nE   assert 1 == 2\n====== short test summary info ======\n\
                      FAILED tests/test_x.py::test_x - assert 1 == 2\n1 failed, 2 passed in 0.10s\n";
        let said = read(pytest);
        assert!(said.contains("E   assert 1 == 2") && said.contains("FAILED tests/test_x.py::test_x"), "{said}");
        let node = "\u{2716} opens the page (12ms)\n\u{2139} pass 1\n\u{2716} failing tests:\n\ntest at x.mjs:1:1\n\u{2716} opens the page (12ms)\n  AssertionError: no\n";
        assert!(read(node).ends_with("\u{2716} opens the page (12ms)\n  AssertionError: no"), "{}", read(node));
        let tap = "    ok 1 - opens\n    not ok 2 - closes\n      error: 'no'\n1..2\n# fail 1\n";
        assert!(read(tap).starts_with("    not ok 2 - closes\n      error: 'no'"), "{}", read(tap));
        let compiler = "   Compiling x\nerror[E0308]: mismatched types\n --> x.rs:1:1\n";
        assert_eq!(read(compiler), "error[E0308]: mismatched types\n --> x.rs:1:1");
        assert_eq!(read("--- FAIL: TestX (0.00s)\n    x_test.go:1: no\nFAIL\n"), "--- FAIL: TestX (0.00s)\n    x_test.go:1: no\nFAIL");
    }

    #[test]
    fn of_what_is_not_understood_the_last_lines_are_said_and_never_too_many() {
        assert_eq!(read("one\ntwo\n\nthree\n"), "one\ntwo\nthree");
        let many = (0..1000).map(|n| format!("error: number {n} {}\n", "x".repeat(500))).collect::<String>();
        let said = read(&many);
        assert_eq!(said.lines().count(), LINES_OF_ALL);
        assert!(said.lines().all(|line| line.chars().count() <= CHARACTERS + 1));
    }
}
