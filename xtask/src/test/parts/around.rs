//! What stands before a server, beside it or against it.

use anyhow::Result;

use super::{Done, all, node_tests};
use crate::run::{Output, counted, root};
use crate::test::needs;
use crate::test::stores::binaries::{self, Binary};

/// Generated calls of every method that the OpenAPI document names.
pub fn api(output: &Output, binary: &Binary) -> Result<Done> {
    let python = needs::venv().join("bin/python").to_string_lossy().into_owned();
    let env = binary.with(&[("PYTHONUNBUFFERED", "1")]);
    let counts = counted(output, "schemathesis over the OpenAPI document", &root().join("e2e"), &python, &["fuzz_api/run.py"], &env)?;
    Ok(counts.into())
}

/// The gateway beside real proxies, with the configuration that its page prints; and a static site behind nginx in Chromium.
pub fn gateway(output: &Output, binary: &Binary) -> Result<Done> {
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    let env = binary.with(&[("PATH", path.as_str()), ("PYTHONUNBUFFERED", "1"), ("PYTHONDONTWRITEBYTECODE", "1")]);
    let e2e = root().join("e2e");
    let python = needs::proxies_venv().join("bin/python").to_string_lossy().into_owned();
    let args = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "gateway"];
    Ok(all(
        output,
        vec![
            counted(output, "the gateway beside nginx, Traefik, Caddy, Envoy and HAProxy", &e2e, &python, &args, &env),
            node_tests(output, "a static site behind nginx", &e2e, "gateway", &env),
        ],
    ))
}

/// `falconer attack` on every example, which hold, and on services with one fault each, which it finds. The interpreter is the one that the Python example
/// needs.
pub fn attack(output: &Output, binary: &Binary) -> Result<Done> {
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    let env = binary.with(&[("PATH", path.as_str()), ("PYTHONUNBUFFERED", "1"), ("PYTHONDONTWRITEBYTECODE", "1")]);
    let python = needs::kit_venv().join("bin/python").to_string_lossy().into_owned();
    let args = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "attack"];
    let counts = counted(output, "attacks on examples and on broken services", &root().join("e2e"), &python, &args, &env)?;
    Ok(counts.into())
}

/// The alerts and the dashboard of the documentation, on a real Prometheus that scrapes real servers.
pub fn monitoring(output: &Output, binary: &Binary) -> Result<Done> {
    let python = needs::venv().join("bin/python").to_string_lossy().into_owned();
    let env = binary.with(&[("PYTHONUNBUFFERED", "1"), ("PYTHONDONTWRITEBYTECODE", "1")]);
    let args = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "monitoring"];
    Ok(counted(output, "alerts and dashboard on Prometheus", &root().join("e2e"), &python, &args, &env)?.into())
}

/// Two servers on a PostgreSQL that Patroni and etcd watch over, whose leader is lost and then frozen. Patroni needs twenty seconds for each.
pub fn failover(output: &Output) -> Result<Done> {
    let binary = binaries::program();
    let python = needs::venv().join("bin/python").to_string_lossy().into_owned();
    let env = [("FALCONER_BIN", binary.as_str()), ("PYTHONUNBUFFERED", "1"), ("PYTHONDONTWRITEBYTECODE", "1")];
    let args = ["-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "failover"];
    Ok(counted(output, "failing over with Patroni", &root().join("e2e"), &python, &args, &env)?.into())
}
