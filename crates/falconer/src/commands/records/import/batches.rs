//! Batches: how records are cut, sent and counted.

use std::time::Duration;

use anyhow::Result;
use falconer_client::{Client, Error, Retry};
use falconer_wire::{ImportBatch, ImportOutcome, ImportReport};
use serde::Serialize;

use super::records::{Line, Origin, Records};

/// Of the server: records of one batch.
const MOST_RECORDS: usize = 10_000;
/// Of the server: bytes of one body, with room for its brackets.
const MOST_BYTES: usize = 10 * 1024 * 1024 - 4096;

/// A step that happens whole.
#[derive(Default)]
pub struct Batch {
    body: ImportBatch,
    role_lines: Vec<Line>,
    client_lines: Vec<Line>,
}

/// How many records had which outcome.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Count {
    pub created: usize,
    pub updated: usize,
    pub unchanged: usize,
}

/// The same by kind, and which records are not left as they are.
#[derive(Default)]
pub struct Tally {
    pub roles: Count,
    pub clients: Count,
    pub changes: Vec<Change>,
}

/// A record that is not left as it is.
#[derive(Serialize)]
pub struct Change {
    pub kind: &'static str,
    pub id: String,
    pub outcome: ImportOutcome,
}

/// A large batch takes longer than an ordinary call.
pub fn patient(retry: Retry) -> Retry {
    Retry { timeout: Duration::from_secs(120), ..retry }
}

/// Takes the records out. Roles first and as many at once as the server takes, because they are validated together; then clients, `size` at once.
pub fn split(records: &mut Records, size: usize) -> Vec<Batch> {
    let mut builder = BatchBuilder::default();
    for (line, role) in records.roles.drain(..) {
        let open = builder.batch_for(MOST_RECORDS, length(&role));
        open.body.roles.push(role);
        open.role_lines.push(line);
    }
    builder.close();
    for (line, client) in records.clients.drain(..) {
        let open = builder.batch_for(size.min(MOST_RECORDS), length(&client));
        open.body.clients.push(client);
        open.client_lines.push(line);
    }
    builder.close();
    builder.done
}

#[derive(Default)]
struct BatchBuilder {
    done: Vec<Batch>,
    open: Batch,
    bytes: usize,
}

impl BatchBuilder {
    /// The batch that takes one more record of so many bytes.
    fn batch_for(&mut self, most: usize, bytes: usize) -> &mut Batch {
        if self.open.len() >= most || self.bytes + bytes > MOST_BYTES {
            self.close();
        }
        self.bytes += bytes;
        &mut self.open
    }

    fn close(&mut self) {
        if self.open.len() > 0 {
            self.done.push(std::mem::take(&mut self.open));
        }
        self.bytes = 0;
    }
}

/// As JSON, with its comma.
fn length<R: Serialize>(record: &R) -> usize {
    serde_json::to_vec(record).map_or(MOST_BYTES, |json| json.len() + 1)
}

impl Batch {
    pub fn len(&self) -> usize {
        self.body.roles.len() + self.body.clients.len()
    }

    /// The ids of the clients whose tokens are the server's to make.
    pub fn clients_without_token(&self) -> impl Iterator<Item = &str> {
        self.body.clients.iter().filter(|client| client.access_token.is_none()).map(|client| client.client_id.as_str())
    }

    /// Sends it. A refusal that names a record is told with its line.
    pub async fn send(&self, server: &Client, origin: &Origin, dry_run: bool) -> Result<ImportReport> {
        let outcome = if dry_run {
            server.import_batch(&ImportBatch { dry_run, ..self.body.clone() }).await
        } else {
            server.import_batch(&self.body).await
        };
        outcome.map_err(|error| {
            let place = self.line_of(&error).and_then(|line| origin.place(line));
            let unknown = matches!(&error, Error::Api { status: 404, .. });
            let error = anyhow::Error::from(error);
            match place {
                Some(place) => error.context(place),
                None if unknown => {
                    error.context(format!("{} has no method for imports: is it a Falconer of this version?", server.root_url()))
                }
                None => error,
            }
        })
    }

    /// The line of the record that a message names: `clients[3] "x": ...` or `data/clients/3/...`.
    fn line_of(&self, error: &Error) -> Option<Line> {
        let Error::Api { message, .. } = error else {
            return None;
        };
        for (list, lines) in [("roles", &self.role_lines), ("clients", &self.client_lines)] {
            let after =
                message.strip_prefix(&format!("{list}[")).or_else(|| message.split_once(&format!("data/{list}/")).map(|(_, after)| after));
            let digits = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse::<usize>().ok());
            if let Some(line) = after.and_then(digits).and_then(|index| lines.get(index)) {
                return Some(*line);
            }
        }
        None
    }
}

impl Count {
    fn add(&mut self, outcome: ImportOutcome) {
        match outcome {
            ImportOutcome::Created => self.created += 1,
            ImportOutcome::Updated => self.updated += 1,
            ImportOutcome::Unchanged => self.unchanged += 1,
        }
    }

    fn len(self) -> usize {
        self.created + self.updated + self.unchanged
    }
}

impl Tally {
    /// Counts an answer; whether it changed anything.
    pub fn add(&mut self, report: &ImportReport) -> bool {
        let before = self.unchanged();
        for role in &report.roles {
            self.roles.add(role.outcome);
            self.note("role", &role.role_id, role.outcome);
        }
        for client in &report.clients {
            self.clients.add(client.outcome);
            self.note("client", &client.client_id, client.outcome);
        }
        self.unchanged() - before < report.roles.len() + report.clients.len()
    }

    fn note(&mut self, kind: &'static str, id: &str, outcome: ImportOutcome) {
        if outcome != ImportOutcome::Unchanged {
            self.changes.push(Change { kind, id: id.to_owned(), outcome });
        }
    }

    /// Counts a batch that is there as it is.
    pub fn add_unchanged(&mut self, batch: &Batch) {
        self.roles.unchanged += batch.body.roles.len();
        self.clients.unchanged += batch.body.clients.len();
    }

    /// How many records were answered for.
    pub fn len(&self) -> usize {
        self.roles.len() + self.clients.len()
    }

    fn unchanged(&self) -> usize {
        self.roles.unchanged + self.clients.unchanged
    }
}
