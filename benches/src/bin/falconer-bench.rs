//! Measures the packaged binary of Falconer and prints one table. `cargo xtask bench` builds both and starts this.

use std::io::Write;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Parser;
use falconer_benches::figures::plot;
use falconer_benches::options::Options;
use falconer_benches::subjects::floor::{Floor, serve};
use falconer_benches::{bounds, clients, clock, followers, people, rows, strangers};
use serde_json::json;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    // The floors are processes of their own, so that the operating system accounts for them as for the server.
    if let [_, word, kind, file] = args.as_slice()
        && word == "floor"
    {
        let kind = [Floor::Hyper, Floor::Raw].into_iter().find(|floor| floor.word() == kind).context("floor hyper|raw FILE")?;
        return serve(kind, std::fs::read(file)?);
    }
    if args.get(1).is_some_and(|word| word == "strangers") {
        return strangers::run(&strangers::Options::parse_from(args.iter().skip(1)));
    }
    if args.get(1).is_some_and(|word| word == "people") {
        return people::run(&people::Options::parse_from(args.iter().skip(1)));
    }
    if args.get(1).is_some_and(|word| word == "followers") {
        return followers::run(&followers::Options::parse_from(args.iter().skip(1)));
    }
    if args.get(1).is_some_and(|word| word == "bounds") {
        return bounds::run(&bounds::Options::parse_from(args.iter().skip(1)));
    }
    if args.get(1).is_some_and(|word| word == "clients") {
        return clients::run(&clients::Options::parse_from(args.iter().skip(1)));
    }
    let options = Options::parse();
    if options.rows.iter().any(|row| row == "list") {
        let line = |row: &rows::Definition| format!("{:<28} {:<7} {}\n", row.id, row.shape.map_or("-", |shape| shape.word()), row.work);
        let text: String = rows::ALL.iter().map(line).collect();
        return Ok(std::io::stdout().write_all(text.as_bytes())?);
    }
    if !rows::ALL.iter().any(|row| rows::wanted(&options, row)) {
        bail!("no row is asked for: `--rows list` prints all");
    }
    let (cores, busy) = (std::thread::available_parallelism()?.get(), load_average());
    let noise =
        (busy > 0.3).then(|| format!(" WARNING: the load average was {busy} before the run began; other work makes these figures noise."));
    eprintln!("{}", noise.as_deref().unwrap_or_default().trim());
    let report = rows::run(&options)?;
    let about = json!({
        "cores": cores, "cpu": cpu_model(), "seconds": options.seconds, "connections": options.connections, "openLoop": options.open_loop,
        "revocations": options.revocations, "loadAverageBefore": busy, "server": options.server, "version": version(&options), "atMs": clock::now_ms()?,
    });
    let text = serde_json::to_string_pretty(&report.json(&about))?;
    if let Some(folder) = options.out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&options.out, text).with_context(|| format!("can't write {}", options.out.display()))?;
    let how = format!(
        "{cores} cores that server and load generator share ({}), {} s a row, {} connections",
        cpu_model(),
        options.seconds,
        options.connections
    );
    if let Some(file) = &options.plot {
        std::fs::write(file, plot::svg(&report, &how)).with_context(|| format!("can't write {}", file.display()))?;
    }
    let table = format!("{}\n{how}.{}\n", report.markdown(), noise.unwrap_or_default());
    if let Some(file) = &options.markdown {
        std::fs::write(file, &table).with_context(|| format!("can't write {}", file.display()))?;
    }
    print!("\n{table}");
    let broken = report.broken();
    if options.must_hold && !broken.is_empty() {
        bail!("this must not happen: {}", broken.join(", "));
    }
    Ok(())
}

/// Of the last minute.
fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn cpu_model() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim().to_owned()).unwrap_or_else(|| "unknown CPU".to_owned())
}

fn version(options: &Options) -> String {
    let output = Command::new(&options.binary).arg("--version").output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
