//! What the runners of tests count, read from their own summaries: cargo's, node's, pytest's, and that of our own fuzz targets.

use std::ops::AddAssign;

/// Tests that passed, failed, and were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    pub left_out: u64,
}

impl Counts {
    pub const PASSED: Counts = Counts { passed: 1, failed: 0, left_out: 0 };
    pub const FAILED: Counts = Counts { passed: 0, failed: 1, left_out: 0 };
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.left_out += other.left_out;
    }
}

/// Reads the lines of one run.
#[derive(Default)]
pub struct Reader {
    counts: Counts,
}

impl Reader {
    pub fn read(&mut self, line: &str) {
        if let Some(counts) = of_cargo(line).or_else(|| of_node(line)).or_else(|| of_pytest(line)).or_else(|| of_fuzz(line)) {
            self.counts += counts;
        }
    }

    /// A run without a summary of its own counts as one; so does a failure that no summary names, such as a file that does not compile.
    pub fn end(mut self, success: bool) -> Counts {
        if !success && self.counts.failed == 0 {
            self.counts += Counts::FAILED;
        } else if success && self.counts == Counts::default() {
            self.counts += Counts::PASSED;
        }
        self.counts
    }
}

/// `test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 8.15s`
fn of_cargo(line: &str) -> Option<Counts> {
    let parts = line.trim().strip_prefix("test result: ")?.split_once(". ")?.1;
    let number = |what: &str| parts.split("; ").find_map(|part| part.strip_suffix(what)?.trim().parse().ok());
    Some(Counts { passed: number("passed")?, failed: number("failed")?, left_out: number("ignored").unwrap_or(0) })
}

/// `seed 7: 16 targets passed, 1 failed`
fn of_fuzz(line: &str) -> Option<Counts> {
    let (passed, failed) = line.strip_prefix("seed ")?.split_once(": ")?.1.split_once(" targets passed, ")?;
    Some(Counts { passed: passed.parse().ok()?, failed: failed.strip_suffix(" failed")?.parse().ok()?, left_out: 0 })
}

/// `# pass 12`, where nobody looks; `ℹ pass 12`, where somebody does.
fn of_node(line: &str) -> Option<Counts> {
    let (what, number) = line.strip_prefix("# ").or_else(|| line.strip_prefix("\u{2139} "))?.split_once(' ')?;
    let number = number.parse().ok()?;
    match what {
        "pass" => Some(Counts { passed: number, ..Counts::default() }),
        "fail" | "cancelled" => Some(Counts { failed: number, ..Counts::default() }),
        "skipped" | "todo" => Some(Counts { left_out: number, ..Counts::default() }),
        _ => None,
    }
}

/// `2 failed, 10 passed, 1 skipped in 3.21s`, perhaps between equals signs.
fn of_pytest(line: &str) -> Option<Counts> {
    let (parts, time) = line.trim_matches([' ', '=']).rsplit_once(" in ")?;
    if !time.split(' ').next()?.trim_end_matches('s').parse::<f64>().is_ok_and(f64::is_finite) {
        return None;
    }
    let mut counts = Counts::default();
    for part in parts.split(", ") {
        let (number, what) = part.split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        match what {
            "passed" | "xpassed" => counts.passed += number,
            "failed" | "error" | "errors" => counts.failed += number,
            "skipped" | "deselected" | "xfailed" => counts.left_out += number,
            "warning" | "warnings" => {}
            _ => return None,
        }
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str, success: bool) -> Counts {
        let mut reader = Reader::default();
        lines.lines().for_each(|line| reader.read(line));
        reader.end(success)
    }

    #[test]
    fn the_runners_own_summaries_are_added_up() {
        let cargo = "test a ... ok\ntest result: ok. 7 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 8.15s\n\
                     test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        assert_eq!(read(cargo, false), Counts { passed: 9, failed: 3, left_out: 1 });
        let node = "# tests 14\n# suites 0\n# pass 12\n# fail 1\n# cancelled 1\n# skipped 0\n# todo 0\n# duration_ms 1234.5\n";
        assert_eq!(read(node, false), Counts { passed: 12, failed: 2, left_out: 0 });
        assert_eq!(read(&node.replace("# ", "\u{2139} "), false), Counts { passed: 12, failed: 2, left_out: 0 });
        assert_eq!(read("..s.\n3 passed, 1 skipped, 2 warnings in 3.21s\n", true), Counts { passed: 3, failed: 0, left_out: 1 });
        assert_eq!(read("seed 7: 16 targets passed, 1 failed\n", false), Counts { passed: 16, failed: 1, left_out: 0 });
        assert_eq!(read("==== 1 failed, 10 passed in 65.02s (0:01:05) ====\n", false), Counts { passed: 10, failed: 1, left_out: 0 });
    }

    #[test]
    fn what_says_no_count_counts_as_one() {
        assert_eq!(read("   Compiling x\n5 things in mind\nput 5 passed in a row\n", true), Counts::PASSED);
        assert_eq!(read("error: could not compile\n", false), Counts::FAILED);
        let passed = "test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 8.15s\nerror: the next one does not compile\n";
        assert_eq!(read(passed, false), Counts { passed: 7, failed: 1, left_out: 0 });
    }
}
