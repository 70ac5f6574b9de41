//! The committed inputs hold, and every target has some.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;

use falconer_fuzz::{TARGETS, read};

#[test]
fn every_committed_input_holds() {
    for target in TARGETS {
        for input in read(target.name).unwrap() {
            println!("{}", input.file.display());
            (target.run)(&input.bytes);
        }
    }
}

#[test]
fn every_corpus_has_its_target_and_leads_to_different_outcomes() {
    let folders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora")).unwrap();
    let folders: BTreeSet<String> = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(folders, TARGETS.iter().map(|target| target.name.to_owned()).collect());
    for target in TARGETS {
        let inputs = read(target.name).unwrap();
        let outcomes: BTreeSet<_> = inputs.iter().map(|input| (target.run)(&input.bytes)).collect();
        assert!(inputs.len() >= 3 && outcomes.len() >= 2, "{}: {} inputs lead to {outcomes:?}", target.name, inputs.len());
    }
}
