//! Keycloak: the provider that many organisations run. It is a Java program, fetched as Maven fetches it with the settings of this machine.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::{Done, node_tests};
use crate::run::{Output, prints, root, step, target};
use crate::test::stores::binaries::Binary;

/// The oldest Java that it runs on.
const JAVA: u32 = 17;
/// The version that people sign in with.
const VERSION: &str = "26.5.6";

/// Where it is unpacked.
fn home() -> PathBuf {
    target().join("keycloak").join(format!("keycloak-{VERSION}"))
}

pub fn is_there() -> bool {
    home().join("bin/kc.sh").exists()
}

pub fn java_is_new_enough() -> bool {
    // It prints `openjdk version "17.0.15"` to stderr.
    let said = prints("sh", &["-c", "java -version 2>&1"]).unwrap_or_default();
    said.split('"').nth(1).and_then(|version| version.split('.').next()?.parse::<u32>().ok()).is_some_and(|major| major >= JAVA)
}

/// Its own distribution, 160 MB. It is unpacked beside its place, so that half of it is never taken for all.
pub fn fetch() -> Result<()> {
    if is_there() {
        return Ok(());
    }
    let folder = target().join("keycloak").join("unpacking");
    let place = folder.to_string_lossy().into_owned();
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("can't remove what was not unpacked whole")?;
    }
    std::fs::create_dir_all(&folder).with_context(|| place.clone())?;
    let artifact = format!("-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:tar.gz");
    step("Keycloak", &root(), "mvn", &["-q", "-B", "dependency:copy", &artifact, &format!("-DoutputDirectory={place}")], &[])?;
    let archive = format!("{place}/keycloak-quarkus-dist-{VERSION}.tar.gz");
    step("Keycloak: unpacking", &root(), "tar", &["xzf", &archive, "-C", &place], &[])?;
    std::fs::rename(folder.join(format!("keycloak-{VERSION}")), home()).context("can't put Keycloak in its place")?;
    std::fs::remove_dir_all(&folder).context("can't remove the archive of Keycloak")
}

/// Signing in with it, in Chromium.
pub fn run(output: &Output, binary: &Binary) -> Result<Done> {
    let home = home().to_string_lossy().into_owned();
    let env = binary.with(&[("KEYCLOAK_HOME", &home)]);
    Ok(node_tests(output, "Keycloak", &root().join("e2e"), "keycloak", &env)?.into())
}
