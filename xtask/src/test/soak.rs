//! `cargo xtask soak`: the loops that CI runs small, at the size that a release must show. Prints what was tried.

use anyhow::Result;

use super::stores::postgres;
use crate::run::{cargo, root, step, target};

pub fn run() -> Result<()> {
    let cases = [("FALCONER_CASES", "10000000")];
    cargo(
        "decisions equal the model, 10^7 cases",
        &["test", "--locked", "-p", "falconer-scopes", "--test", "model", "--", "--nocapture"],
        &cases,
    )?;
    let histories = [("FALCONER_ESCALATION_WORLDS", "1000000")];
    cargo("escalation, 10^6 histories", &["test", "--locked", "-p", "falconer-auth", "escalation", "--", "--nocapture"], &histories)?;
    let simulations = [("FALCONER_SIMULATIONS", "100000")];
    cargo(
        "nodes over one database while things go wrong, 10^5 seeds",
        &["test", "--locked", "--release", "-p", "falconer-auth", "--test", "catch_up", "simulation", "--", "--nocapture"],
        &simulations,
    )?;
    let rounds = [("FALCONER_ENEMY_ROUNDS", "10000")];
    cargo(
        "a right removed while clocks are ten minutes apart, 10,000 rounds",
        &["test", "--locked", "--release", "-p", "falconer-auth", "--test", "catch_up", "clocks_that_are_apart", "--", "--nocapture"],
        &rounds,
    )?;
    let clients = [("FALCONER_IMPORT_CLIENTS", "100000")];
    cargo(
        "import of 10,000 roles and 100,000 clients, at most two minutes",
        &["test", "--locked", "--release", "-p", "falconer", "--test", "import", "large", "--", "--nocapture"],
        &clients,
    )?;
    cargo(
        "fuzz targets, ten minutes each",
        &["run", "--locked", "-p", "falconer-fuzz", "--", "--seconds", "600", "--seed", &std::process::id().to_string()],
        &[],
    )?;
    cargo("packaged binary", &["build", "--release", "--locked", "-p", "falconer", "-p", "falconer-benches", "--bins"], &[])?;
    let release = target().join("release");
    let binary = release.join("falconer").to_string_lossy().into_owned();
    step(
        "hostile requests beside plain ones",
        &root(),
        &release.join("falconer-bench").to_string_lossy(),
        &["strangers", "--binary", &binary, "--must-hold"],
        &[],
    )?;
    let out = target().join("bench/revocation.json").to_string_lossy().into_owned();
    step(
        "what was taken away is refused, 10,000 times of each kind",
        &root(),
        &release.join("falconer-bench").to_string_lossy(),
        &["--binary", &binary, "--out", &out, "--rows", "revo", "--revocations", "10000", "--must-hold"],
        &[],
    )?;
    let kills = ("FALCONER_KILLS", "500");
    cargo("kill -9, 500 times", &["test", "--locked", "-p", "falconer-store-sqlite", "--test", "kill", "--", "--nocapture"], &[kills])?;
    cargo(
        "the power goes at 1,000 points of writing, and 300 writes and synchronisations fail",
        &["test", "--locked", "-p", "falconer-store-sqlite", "--test", "disk", "--", "--nocapture"],
        &[("FALCONER_POWER_CUTS", "1000"), ("FALCONER_DISK_FAULTS", "300")],
    )?;
    let server = postgres::Server::start(postgres::Disk::AsInProduction)?;
    let on_both = (postgres::VARIABLE, server.url.as_str());
    let falconer = |room, test| ["test", "--locked", "-p", "falconer", "--test", room, test, "--", "--include-ignored", "--nocapture"];
    cargo("kill -9 of the server on each store, 500 times", &falconer("serving", "kill::"), &[kills, on_both])?;
    cargo(
        "64 writers with 1,000 changes each, on each store",
        &falconer("databases", "writers::"),
        &[("FALCONER_WRITES", "1000"), on_both],
    )?;
    cargo(
        "the way to the database cut at 2,000 points of changes",
        &falconer("databases", "cut_commits::"),
        &[("FALCONER_CUTS", "2000"), on_both],
    )?;
    cargo(
        "a right removed on one of three servers, 10,000 rounds",
        &falconer("nodes", "nobody_sees"),
        &[("FALCONER_ENEMY_ROUNDS", "10000"), on_both],
    )?;
    let bounds = [
        "bounds",
        "--binary",
        &binary,
        "--postgres",
        &server.url,
        "--revocations",
        "2000",
        "--enemies",
        "10000",
        "--cuts",
        "10",
        "--must-hold",
    ];
    step(
        "revocations on three servers of one database, each within its bound",
        &root(),
        &release.join("falconer-bench").to_string_lossy(),
        &bounds,
        &[],
    )
}
