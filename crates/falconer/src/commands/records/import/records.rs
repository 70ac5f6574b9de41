//! Roles and clients on their way in, each with where it comes from; and what is refused before a server is asked.

use std::collections::HashMap;
use std::fmt::Write as _;

use anyhow::{Result, bail};
use falconer_scopes::Role;
use falconer_wire::pattern::{CLIENT_ID, ROLE_ID};
use falconer_wire::{ImportClient, ImportRecord, ImportRole, date_time};

/// More errors than this are counted only.
const MOST_ERRORS: usize = 20;
/// Of the server.
const LONGEST_ID: usize = 1280;
const LONGEST_DESCRIPTION: usize = 10_240;
const MOST_SCOPES: usize = 10_000;

/// Where a record comes from: a line, from 1, or its place in what a deployment told.
pub type Line = usize;

/// Everything that is to be imported, in order.
pub struct Records {
    pub origin: Origin,
    pub roles: Vec<(Line, ImportRole)>,
    pub clients: Vec<(Line, ImportClient)>,
}

/// The name of the file; `None` for a deployment, whose records have no lines.
#[derive(Clone)]
pub struct Origin(pub Option<String>);

/// What is wrong, line by line.
#[derive(Default)]
pub struct RecordErrors(Vec<(Line, String)>);

impl RecordErrors {
    pub fn add(&mut self, line: Line, text: impl Into<String>) {
        self.0.push((line, text.into()));
    }
}

impl Origin {
    /// Where a record stands, for messages: `line 17 of moved.jsonl`, or nothing where there are no lines.
    pub fn place(&self, line: Line) -> Option<String> {
        self.0.as_ref().map(|name| format!("line {line} of {name}"))
    }
}

impl Records {
    pub fn new(origin: Origin) -> Records {
        Records { origin, roles: Vec::new(), clients: Vec::new() }
    }

    pub fn push(&mut self, line: Line, record: ImportRecord) {
        match record {
            ImportRecord::Role(role) => self.roles.push((line, role)),
            ImportRecord::Client(client) => self.clients.push((line, client)),
        }
    }

    pub fn len(&self) -> usize {
        self.roles.len() + self.clients.len()
    }

    /// Refuses what no server would take, all of it at once.
    pub fn validated(self, mut errors: RecordErrors) -> Result<Records> {
        let mut seen: HashMap<(&str, &str), Line> = HashMap::new();
        for (line, role) in &self.roles {
            check_role(role).unwrap_or_else(|text| errors.add(*line, text));
            check_once(&mut seen, ("role", &role.role_id), *line).unwrap_or_else(|text| errors.add(*line, text));
        }
        for (line, client) in &self.clients {
            check_client(client).unwrap_or_else(|text| errors.add(*line, text));
            check_once(&mut seen, ("client", &client.client_id), *line).unwrap_or_else(|text| errors.add(*line, text));
        }
        drop(seen);
        let mut errors = errors.0;
        if errors.is_empty() {
            self.validate_roles()?;
            return Ok(self);
        }
        errors.sort();
        let mut text = String::from("nothing was written:");
        for (line, error) in errors.iter().take(MOST_ERRORS) {
            match self.origin.place(*line) {
                Some(place) => _ = write!(text, "\n  {place}: {error}"),
                None => _ = write!(text, "\n  {error}"),
            }
        }
        if let Some(more @ 1..) = errors.len().checked_sub(MOST_ERRORS) {
            let _ = write!(text, "\n  and {more} more");
        }
        bail!(text)
    }

    /// The roles that come together are valid together, or nothing that a server holds can make them so.
    fn validate_roles(&self) -> Result<()> {
        let roles: Vec<Role> =
            self.roles.iter().map(|(_, role)| Role { role_id: role.role_id.clone(), scopes: role.scopes.clone() }).collect();
        if let Err(error) = falconer_scopes::validate(&roles) {
            bail!("nothing was written: {error}");
        }
        Ok(())
    }
}

fn check_once<'r>(seen: &mut HashMap<(&'r str, &'r str), Line>, key: (&'r str, &'r str), line: Line) -> Result<(), String> {
    match seen.insert(key, line) {
        None => Ok(()),
        Some(before) => Err(format!("the {} {:?} is in line {before} already", key.0, key.1)),
    }
}

fn check_role(role: &ImportRole) -> Result<(), String> {
    let of = |text: String| format!("role {:?}: {text}", role.role_id);
    if !(ROLE_ID.matches)(&role.role_id) || role.role_id.len() > LONGEST_ID {
        return Err(of(format!("a roleId is up to {LONGEST_ID} printable ASCII characters")));
    }
    if is_dots(&role.role_id) {
        return Err(of(NO_ADDRESS.to_owned()));
    }
    if role.role_id.starts_with("grant:") {
        return Err(of("`grant:` is reserved".to_owned()));
    }
    check_text(&role.scopes, &role.description).map_err(of)
}

fn check_client(client: &ImportClient) -> Result<(), String> {
    let of = |text: String| format!("client {:?}: {text}", client.client_id);
    if !(CLIENT_ID.matches)(&client.client_id) || client.client_id.len() > LONGEST_ID {
        return Err(of(format!("a clientId is up to {LONGEST_ID} of A-Z a-z 0-9 ! @ / : . + | _ -")));
    }
    if is_dots(&client.client_id) {
        return Err(of(NO_ADDRESS.to_owned()));
    }
    if client.client_id.starts_with("static/") {
        return Err(of("clients under `static/` belong to the configuration of a server and can't be imported".to_owned()));
    }
    if date_time::parse_us(&client.expires).is_none() {
        return Err(of(format!("expires: {:?} is no time such as 2030-01-01T00:00:00Z", client.expires)));
    }
    if client.access_token.as_deref().is_some_and(|token| !is_token(token)) {
        // Never the token itself.
        return Err(of("accessToken: 22 to 66 of A-Z a-z 0-9 _ -".to_owned()));
    }
    check_text(&client.scopes, &client.description).map_err(of)
}

/// These ids are steps within a path: no method of the API could read, change or delete such a record again.
fn is_dots(id: &str) -> bool {
    id == "." || id == ".."
}

const NO_ADDRESS: &str = "no address can name it, so that nothing could change or delete it afterwards";

fn is_token(text: &str) -> bool {
    (22..=66).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
}

fn check_text(scopes: &[String], description: &str) -> Result<(), String> {
    if description.chars().count() > LONGEST_DESCRIPTION {
        return Err(format!("the description has more than {LONGEST_DESCRIPTION} characters"));
    }
    if description.contains('\0') {
        return Err("the description holds the character U+0000".to_owned());
    }
    if scopes.len() > MOST_SCOPES {
        return Err(format!("more than {MOST_SCOPES} scopes"));
    }
    let mut seen = std::collections::HashSet::new();
    for scope in scopes {
        if !falconer_scopes::is_valid_scope(scope) {
            return Err(format!("{scope:?} is no scope: printable ASCII only"));
        }
        if scope.ends_with("**") {
            return Err(format!("the scope {scope:?} ends with `**`"));
        }
        if scope.starts_with("assume:grant:") {
            return Err(format!("the scope {scope:?}: `assume:grant:` is reserved"));
        }
        if !seen.insert(scope) {
            return Err(format!("the scope {scope:?} is there twice"));
        }
    }
    Ok(())
}
