//! Instruction counts of the few decisions that gate a change, under callgrind, against a committed baseline.
//!
//! Callgrind offers no SHA instructions to a program, so hashing weighs far more in its counts than on a processor of today, and would hide all else. So the
//! compression function of SHA-256 is counted apart from the rest, and both are compared.
//!
//! A count moves with the compiler and with valgrind, so the baseline names both. Where they differ, counts are still compared, but with a wider tolerance,
//! and the difference is said at the end of the run, not only at its beginning.

use std::collections::{BTreeMap, BTreeSet};
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

/// The compression function of SHA-256, in callgrind's words.
const HASHING: [&str; 2] = ["sha2::", "compress"];

/// Instructions of one run of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    /// In the compression function of SHA-256.
    hashing: u64,
    /// Everywhere else.
    rest: u64,
}

/// Counts of one run, or of the baseline.
struct Counts {
    rustc: String,
    valgrind: String,
    each: BTreeMap<String, Count>,
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
        let all = read(&text).with_context(|| format!("unreadable: {}", out.display()))?;
        let rounds: u64 = rounds.parse()?;
        let one = Count { hashing: all.hashing / rounds, rest: all.rest / rounds };
        if one.rest == 0 {
            bail!("nothing was counted for {name}: callgrind did not find the function that it is to switch on for");
        }
        println!("   {name}: {} instructions, and {} of hashing", one.rest, one.hashing);
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

/// Adds up what a callgrind file says of each function itself, and holds it against the total that the file names.
fn read(text: &str) -> Result<Count> {
    let mut hashing_ids = BTreeSet::new();
    let (mut in_hashing, mut after_calls, mut count) = (false, false, Count { hashing: 0, rest: 0 });
    for line in text.lines() {
        if let Some(function) = line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn=")) {
            // `(7) its::name` where it is named first, itself or as what is called; from then on `(7)`.
            let (id, name) = function.split_once(' ').unwrap_or((function, ""));
            if HASHING.iter().all(|part| name.contains(part)) {
                hashing_ids.insert(id.to_owned());
            }
            if line.starts_with("fn=") {
                in_hashing = hashing_ids.contains(id);
            }
        } else if line.starts_with("calls=") {
            after_calls = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            // The line after `calls=` is what the called function took, which is counted there.
            if !std::mem::take(&mut after_calls) {
                let cost: u64 = line.split_whitespace().nth(1).map_or(Ok(0), str::parse).with_context(|| format!("the line `{line}`"))?;
                *(if in_hashing { &mut count.hashing } else { &mut count.rest }) += cost;
            }
        }
    }
    let totals = text.lines().find_map(|line| line.strip_prefix("totals:")).context("no total")?;
    let total: u64 = totals.trim().parse()?;
    if count.hashing + count.rest != total {
        bail!("its functions add up to {} and not to its total of {total}", count.hashing + count.rest);
    }
    Ok(count)
}

fn compare(baseline: &Counts, counted: &Counts) -> Result<Option<String>> {
    let same = baseline.rustc == counted.rustc && baseline.valgrind == counted.valgrind;
    let tolerance = if same { TOLERANCE } else { TOLERANCE_OF_OTHERS };
    let mut faults = Vec::new();
    println!("\n| decision | baseline | now | change | hashing: baseline | now |\n| --- | --- | --- | --- | --- | --- |");
    for (name, now) in &counted.each {
        let Some(before) = baseline.each.get(name) else {
            faults.push(format!("{name} is not in the baseline"));
            continue;
        };
        let change = |now: u64, before: u64| now as f64 / before.max(1) as f64 - 1.0;
        let rest = change(now.rest, before.rest) * 100.0;
        println!("| {name} | {} | {} | {rest:+.1} % | {} | {} |", before.rest, now.rest, before.hashing, now.hashing);
        for (what, now, before) in [("instructions", now.rest, before.rest), ("instructions of hashing", now.hashing, before.hashing)] {
            if now as f64 > before as f64 * (1.0 + tolerance) {
                faults.push(format!("{name} takes {:.1} % more {what} than the baseline ({before} -> {now})", change(now, before) * 100.0));
            }
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
             # commit of its own that says why. `hashing` is what the compression function of SHA-256 takes without SHA instructions.\nrustc = \"{}\"\nvalgrind = \"{}\"\n\n[instructions]\n",
            self.rustc, self.valgrind
        );
        for (name, count) in &self.each {
            text.push_str(&format!("{name} = {{ rest = {}, hashing = {} }}\n", count.rest, count.hashing));
        }
        text
    }

    fn of_toml(text: &str) -> Result<Counts> {
        let table: Table = text.parse().context("benches/baseline.toml")?;
        let word =
            |key: &str| Ok::<_, anyhow::Error>(table.get(key).and_then(|v| v.as_str()).with_context(|| format!("no {key}"))?.to_owned());
        let counts = table.get("instructions").and_then(|v| v.as_table()).context("no [instructions]")?;
        let one = |(name, count): (&String, &toml::Value)| {
            let number = |key: &str| count.get(key).and_then(|v| v.as_integer()).with_context(|| format!("{name} has no {key}"));
            Ok((name.clone(), Count { rest: number("rest")?.try_into()?, hashing: number("hashing")?.try_into()? }))
        };
        Ok(Counts { rustc: word("rustc")?, valgrind: word("valgrind")?, each: counts.iter().map(one).collect::<Result<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rustc: &str, each: &[(&str, u64, u64)]) -> Counts {
        let each = each.iter().map(|(name, rest, hashing)| ((*name).to_owned(), Count { rest: *rest, hashing: *hashing })).collect();
        Counts { rustc: rustc.to_owned(), valgrind: "valgrind-3".to_owned(), each }
    }

    #[test]
    fn a_tenth_more_fails_and_other_versions_are_said() {
        let baseline = counts("rustc 1", &[("a", 1000, 500)]);
        assert!(matches!(compare(&baseline, &counts("rustc 1", &[("a", 1100, 550)])), Ok(None)));
        assert!(compare(&baseline, &counts("rustc 1", &[("a", 1101, 500)])).is_err());
        assert!(compare(&baseline, &counts("rustc 1", &[("a", 1000, 551)])).is_err());
        assert!(matches!(compare(&baseline, &counts("rustc 2", &[("a", 1101, 500)])), Ok(Some(said)) if said.contains("rustc 2")));
        assert!(compare(&baseline, &counts("rustc 2", &[("a", 1301, 500)])).is_err());
    }

    #[test]
    fn what_is_counted_is_what_the_baseline_names() {
        let baseline = counts("rustc 1", &[("a", 1000, 0)]);
        assert!(compare(&baseline, &counts("rustc 1", &[("a", 1000, 0), ("b", 1, 0)])).is_err());
        assert!(compare(&baseline, &counts("rustc 1", &[])).is_err());
        assert!(compare(&baseline, &counts("rustc 1", &[("a", 1000, 1)])).is_err(), "hashing where there was none");
    }

    #[test]
    fn baselines_are_read_as_they_are_written() {
        let written = counts("rustc 1", &[("a", 1000, 0), ("b", 2, 3)]).to_toml();
        let read = Counts::of_toml(&written).unwrap();
        assert!(read.rustc == "rustc 1" && read.each.len() == 2 && read.each["b"] == Count { rest: 2, hashing: 3 }, "{written}");
    }

    #[test]
    fn functions_are_added_up_without_what_they_call() {
        let text = "events: Ir\nfn=(1) a::main\n16 400\ncfn=(2) sha2::sha256::compress256\ncalls=1 50\n17 7000\n+1 3\nfn=(2)\nfi=(3)\n* 5000\nfn=(1)\n-2 1\nfn=(2)\n9 2000\ntotals: 7404\n";
        assert_eq!(read(text).unwrap(), Count { hashing: 7000, rest: 404 });
        assert!(read(&text.replace("7404", "7405")).is_err());
    }
}
