//! `cargo xtask generate`: the reference pages of the documentation, from the table of the API, and the records of public interfaces. `cargo xtask check` holds what
//! is committed against it.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use falconer_wire::{Method, Service, examples};

use crate::interface;
use crate::run::root;

/// Writes the pages.
pub fn run() -> Result<()> {
    for service in Service::ALL {
        let path = path(service);
        std::fs::create_dir_all(path.parent().context("a page is in a folder")?)?;
        std::fs::write(&path, page(service)?).with_context(|| path.display().to_string())?;
        println!("wrote {}", path.display());
    }
    interface::write()
}

/// The pages that are not what the table gives.
pub fn faults() -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for service in Service::ALL {
        let path = path(service);
        if std::fs::read_to_string(&path).unwrap_or_default() != page(service)? {
            faults.push(format!("{} is not what the table gives: run `cargo xtask generate`", path.display()));
        }
    }
    faults.extend(interface::faults()?);
    Ok(faults)
}

fn path(service: Service) -> PathBuf {
    root().join("docs/reference").join(format!("{}.md", service.name()))
}

fn page(service: Service) -> Result<String> {
    let mut page = format!(
        "# {}: `{}`\n\n<!-- Made by `cargo xtask generate` from the table in crates/wire: change it there. -->\n\n{}\n\n\
         The same for machines: `/references/{}/{}/api.json`, `/openapi.json` and `/schemas/` of every deployment. Bodies and errors: see \
         [Services](../services.md#bodies-and-errors).\n",
        service.title(),
        service.prefix(),
        service.description(),
        service.name(),
        Service::VERSION,
    );
    let mut categories: Vec<&str> = Vec::new();
    for method in service.methods() {
        if !categories.contains(&method.category) {
            categories.push(method.category);
        }
    }
    page.push_str("\n| method | call | what it does |\n| --- | --- | --- |\n");
    for method in service.methods() {
        let anchor = method.name.to_lowercase();
        writeln!(page, "| [{}](#{anchor}) | `{} {}` | {} |", method.name, method.verb.as_str(), method.route, method.title)?;
    }
    for category in categories {
        writeln!(page, "\n## {category}")?;
        for method in service.methods().iter().filter(|method| method.category == category) {
            section(&mut page, method)?;
        }
    }
    Ok(page)
}

fn section(page: &mut String, method: &Method) -> Result<()> {
    writeln!(page, "\n### {}\n\n`{} {}{}`", method.name, method.verb.as_str(), method.service.prefix(), method.route)?;
    writeln!(page, "\n{}", method.description)?;
    if method.stability != falconer_wire::Stability::Stable {
        writeln!(page, "\nThis method is {}.", method.stability.as_str())?;
    }
    writeln!(page)?;
    match method.template() {
        Some(serde_json::Value::String(scope)) => writeln!(page, "- Scopes: `{scope}`")?,
        Some(template) => writeln!(page, "- Scopes: `{template}`")?,
        None => writeln!(page, "- Scopes: none")?,
    }
    let in_path = method.params.iter().map(|p| (p.name, p.pattern, "path"));
    let in_query = method.query.iter().map(|q| (q.name, q.pattern, "query, optional"));
    for (name, pattern, place) in in_path.chain(in_query) {
        let pattern = pattern.map_or_else(|| "anything".to_owned(), |pattern| format!("`` {} ``", pattern.source));
        writeln!(page, "- `{name}` ({place}): {pattern}")?;
    }
    let schema = |name: &str| format!("`/schemas/{}/{}/{name}.json`", method.service.name(), Service::VERSION);
    if let Some(name) = method.input {
        writeln!(page, "- Body: {}", schema(name))?;
    }
    match (method.output, method.success()) {
        (Some(name), status) => writeln!(page, "- Answer: {status}, {}", schema(name))?,
        (None, 204) => writeln!(page, "- Answer: 204 without a body")?,
        (None, status) => writeln!(page, "- Answer: {status}")?,
    }
    let codes: Vec<String> = method.codes().iter().map(|code| format!("`{}` ({})", code.as_str(), code.status())).collect();
    writeln!(page, "- Errors: {}", codes.join(", "))?;
    if let Some(body) = examples::body(method) {
        writeln!(page, "\n```json\n{}\n```", serde_json::to_string_pretty(&body)?)?;
    }
    Ok(())
}
