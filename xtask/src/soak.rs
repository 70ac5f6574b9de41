//! `cargo xtask soak`: the loops that CI runs small, at the size that a release must show. Prints what was tried.

use anyhow::Result;

use crate::run::cargo;

pub fn run() -> Result<()> {
    let cases = [("FALCONER_CASES", "10000000")];
    cargo(
        "decisions equal the model, 10^7 cases",
        &["test", "--locked", "-p", "falconer-scopes", "--test", "model", "--", "--nocapture"],
        &cases,
    )?;
    let histories = [("FALCONER_ESCALATION_WORLDS", "1000000")];
    cargo("escalation, 10^6 histories", &["test", "--locked", "-p", "falconer-auth", "escalation", "--", "--nocapture"], &histories)?;
    let kills = [("FALCONER_KILLS", "500")];
    cargo("kill -9, 500 times", &["test", "--locked", "-p", "falconer-store-sqlite", "--test", "kill", "--", "--nocapture"], &kills)
}
