//! Instruction counts of the few decisions that gate a change, under callgrind, against a committed baseline.
//!
//! A count moves with the compiler and with valgrind, so the baseline names both. Where they differ, counts are still compared, but with a wider tolerance,
//! and the difference is said at the end of the run, not only at its beginning.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use toml::Table;

use crate::run::{cargo, root, target};

/// How much more than the baseline fails: a tenth, where compiler and valgrind are those of the baseline.
const TOLERANCE: f64 = 0.10;
/// The same where they are not. Compilers differ by a few hundredths; a lost fast path shows all the same.
const TOLERANCE_OF_OTHERS: f64 = 0.30;
/// What callgrind switches itself on for; `benches/src/bin/instructions.rs`.
const COUNTED: &str = "--toggle-collect=*falconer_counted*";

/// Counts of one run, or of the baseline.
struct Counts {
    rustc: String,
    valgrind: String,
    /// Instructions of one run of each decision.
    each: BTreeMap<String, u64>,
}

/// Counts, prints the table, and compares; answers what has to be said again at the end of a longer run.
pub fn run(write_baseline: bool) -> Result<Option<String>> {
    let args = ["build", "--profile", "instructions", "--locked", "-p", "falconer-benches", "--bin", "instructions"];
    cargo("decisions to count instructions of", &args, &[])?;
    let counted = count()?;
    let file = root().join("benches/baseline.toml");
    if write_baseline {
        std::fs::write(&file, counted.to_toml()).with_context(|| format!("can't write {}", file.display()))?;
        println!("wrote {}; commit it alone, with the reason", file.display());
        return Ok(None);
    }
    let text = std::fs::read_to_string(&file).with_context(|| format!("no baseline {}: make it with --write-baseline", file.display()))?;
    compare(&Counts::of_toml(&text)?, &counted)
}

fn count() -> Result<Counts> {
    let program = target().join("instructions/instructions");
    let list = output(Command::new(&program))?;
    let folder = target().join("bench");
    std::fs::create_dir_all(&folder)?;
    let mut each = BTreeMap::new();
    for line in list.lines() {
        let (name, rounds) = line.split_once(' ').with_context(|| format!("unreadable line `{line}`"))?;
        let out: PathBuf = folder.join(format!("callgrind.{name}"));
        let mut command = Command::new("valgrind");
        command
            .args(["--tool=callgrind", "--quiet", COUNTED])
            .arg(format!("--callgrind-out-file={}", out.display()))
            .arg(&program)
            .arg(name);
        output(command)?;
        let text = std::fs::read_to_string(&out).with_context(|| format!("no {}", out.display()))?;
        let total = total(&text).with_context(|| format!("{} names no total", out.display()))?;
        let one = total / rounds.parse::<u64>()?;
        if one == 0 {
            bail!("nothing was counted for {name}: callgrind did not find the function that it is to switch on for");
        }
        println!("   {name}: {one} instructions");
        each.insert(name.to_owned(), one);
    }
    Ok(Counts { rustc: output(version("rustc"))?.trim().to_owned(), valgrind: output(version("valgrind"))?.trim().to_owned(), each })
}

fn version(program: &str) -> Command {
    let mut command = Command::new(program);
    command.arg("--version");
    command
}

fn output(mut command: Command) -> Result<String> {
    let done = command.output().with_context(|| format!("can't start {command:?}; `cargo xtask needs` says what is missing"))?;
    if !done.status.success() {
        bail!("{command:?} ended with {}: {}", done.status, String::from_utf8_lossy(&done.stderr));
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// The total of a callgrind file: its line `totals: 123` or `summary: 123`.
fn total(text: &str) -> Option<u64> {
    let line = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    line("totals:").or_else(|| line("summary:"))?.trim().parse().ok()
}

fn compare(baseline: &Counts, counted: &Counts) -> Result<Option<String>> {
    let same = baseline.rustc == counted.rustc && baseline.valgrind == counted.valgrind;
    let tolerance = if same { TOLERANCE } else { TOLERANCE_OF_OTHERS };
    let mut faults = Vec::new();
    println!("\n| decision | baseline | now | change |\n| --- | --- | --- | --- |");
    for (name, now) in &counted.each {
        let Some(before) = baseline.each.get(name) else {
            faults.push(format!("{name} is not in the baseline"));
            continue;
        };
        let change = *now as f64 / *before as f64 - 1.0;
        println!("| {name} | {before} | {now} | {:+.1} % |", change * 100.0);
        if change > tolerance {
            faults.push(format!("{name} takes {:.1} % more instructions than the baseline ({before} -> {now})", change * 100.0));
        }
    }
    faults.extend(baseline.each.keys().filter(|name| !counted.each.contains_key(*name)).map(|name| format!("{name} is counted no more")));
    if !faults.is_empty() {
        bail!(
            "instruction counts, tolerance {:.0} %:\n  {}\nIf that is meant, make the baseline again (`cargo xtask bench --instructions --write-baseline`) in a commit of its \
             own that says why.",
            tolerance * 100.0,
            faults.join("\n  ")
        );
    }
    Ok((!same).then(|| {
        let warning = format!(
            "instruction counts were compared with a tolerance of {:.0} % instead of {:.0} %: the baseline was made with {} and {}, this is {} and {}",
            TOLERANCE_OF_OTHERS * 100.0,
            TOLERANCE * 100.0,
            baseline.rustc,
            baseline.valgrind,
            counted.rustc,
            counted.valgrind
        );
        println!("\nWARNING: {warning}");
        warning
    }))
}

impl Counts {
    fn to_toml(&self) -> String {
        let mut text = format!(
            "# Instructions of one run of each gated decision (callgrind). Made by `cargo xtask bench --instructions --write-baseline`, and changed only in a\n\
             # commit of its own that says why.\nrustc = \"{}\"\nvalgrind = \"{}\"\n\n[instructions]\n",
            self.rustc, self.valgrind
        );
        for (name, count) in &self.each {
            text.push_str(&format!("{name} = {count}\n"));
        }
        text
    }

    fn of_toml(text: &str) -> Result<Counts> {
        let table: Table = text.parse().context("benches/baseline.toml")?;
        let word =
            |key: &str| Ok::<_, anyhow::Error>(table.get(key).and_then(|v| v.as_str()).with_context(|| format!("no {key}"))?.to_owned());
        let counts = table.get("instructions").and_then(|v| v.as_table()).context("no [instructions]")?;
        let one = |(name, count): (&String, &toml::Value)| {
            Ok((name.clone(), u64::try_from(count.as_integer().context("a count that is no number")?)?))
        };
        Ok(Counts { rustc: word("rustc")?, valgrind: word("valgrind")?, each: counts.iter().map(one).collect::<Result<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rustc: &str, each: &[(&str, u64)]) -> Counts {
        let each = each.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        Counts { rustc: rustc.to_owned(), valgrind: "valgrind-3".to_owned(), each }
    }

    #[test]
    fn a_tenth_more_fails_and_other_versions_are_said() {
        let baseline = counts("rustc 1", &[("a", 1000)]);
        assert!(matches!(compare(&baseline, &counts("rustc 1", &[("a", 1100)])), Ok(None)));
        assert!(compare(&baseline, &counts("rustc 1", &[("a", 1101)])).is_err());
        assert!(matches!(compare(&baseline, &counts("rustc 2", &[("a", 1101)])), Ok(Some(said)) if said.contains("rustc 2")));
        assert!(compare(&baseline, &counts("rustc 2", &[("a", 1301)])).is_err());
    }

    #[test]
    fn what_is_counted_is_what_the_baseline_names() {
        let baseline = counts("rustc 1", &[("a", 1000)]);
        assert!(compare(&baseline, &counts("rustc 1", &[("a", 1000), ("b", 1)])).is_err());
        assert!(compare(&baseline, &counts("rustc 1", &[])).is_err());
    }

    #[test]
    fn baselines_are_read_as_they_are_written() {
        let written = counts("rustc 1", &[("a", 1000), ("b", 2)]).to_toml();
        let read = Counts::of_toml(&written).unwrap();
        assert!(read.rustc == "rustc 1" && read.each.len() == 2 && read.each["b"] == 2, "{written}");
        assert_eq!(total("x\nsummary: 12\ntotals: 34\n"), Some(34));
    }
}
