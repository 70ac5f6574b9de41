//! The decisions in process, with criterion's statistics: `cargo bench -p falconer-benches`.

use criterion::{Criterion, criterion_group, criterion_main};
use falconer_benches::in_process::workload;

/// All that can be repeated without end: a cold expansion is cold only once, so instructions of it are counted instead.
const REPEATABLE: [&str; 11] = [
    "verify-plain",
    "verify-real",
    "verify-real16",
    "verify-temporary",
    "verify-authorized",
    "verify-wrong-mac",
    "expand-1k-warm",
    "resolver-1k",
    "resolver-10k",
    "resolver-real16",
    "role-change-10k",
];

fn decisions(criterion: &mut Criterion) {
    for name in REPEATABLE {
        match workload(name) {
            Ok(mut workload) => drop(criterion.bench_function(name, |bencher| bencher.iter(&mut workload.run))),
            Err(error) => eprintln!("{name}: {error:#}"),
        }
    }
}

criterion_group!(benches, decisions);
criterion_main!(benches);
