//! Many roles and clients at once (`POST /api/falconer/v1/import`).

use falconer_auth::{Batch, BatchClient, BatchError, BatchReport, BatchRole, Outcome, RoleInput, Secret};
use falconer_wire::{Code, ImportBatch, ImportClient, ImportOutcome, ImportReport, ImportedClient, ImportedRole, date_time};
use serde_json::Value;
use zeroize::Zeroize as _;

use crate::api::answer::failure::Failure;
use crate::api::answer::reply::Reply;
use crate::api::handlers::{Answer, Request, check_limits};

/// A batch may hold this many records: it is one step of the store, and others wait for it.
const MOST_RECORDS: usize = 10_000;

pub(crate) async fn batch(request: &Request<'_>) -> Answer {
    check_records(&request.body.json)?;
    let given: ImportBatch = request.input()?;
    let dry_run = given.dry_run;
    let role_ids: Vec<String> = given.roles.iter().map(|role| role.role_id.clone()).collect();
    let client_ids: Vec<String> = given.clients.iter().map(|client| client.client_id.clone()).collect();
    let batch = input(given)?;
    let outcome = if dry_run { request.auth.plan_import(request.who, &batch) } else { request.auth.import(request.who, &batch).await };
    let (report, revision) = outcome.map_err(|fault| refused(*fault))?;
    let mut shown = shape(role_ids, client_ids, report);
    let has_tokens = shown.clients.iter().any(|client| client.access_token.is_some());
    let reply = if has_tokens { Reply::json_secret(&shown) } else { Reply::json(&shown) }.at_revision(revision.0);
    shown.clients.iter_mut().for_each(|client| client.access_token.zeroize());
    Ok(reply)
}

/// An instant of a body whose format the schema has seen to.
pub(crate) fn expires_us(text: &str) -> Result<i64, Failure> {
    date_time::parse_us(text).ok_or_else(|| Failure::input("expires is not a date-time"))
}

/// Limits that the schema does not know.
fn check_records(body: &Value) -> Result<(), Failure> {
    let mut count: usize = 0;
    for list in ["roles", "clients"] {
        let records = body.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        count = count.saturating_add(records.len());
        for (index, record) in records.iter().enumerate() {
            check_limits(record).map_err(|failure| Failure { text: format!("{list}[{index}]: {}", failure.text), ..failure })?;
        }
    }
    if count > MOST_RECORDS {
        return Err(Failure::new(Code::InputTooLarge, format!("A batch may hold at most {MOST_RECORDS} records; this one has {count}")));
    }
    Ok(())
}

fn input(given: ImportBatch) -> Result<Batch, Failure> {
    let roles = given
        .roles
        .into_iter()
        .map(|role| BatchRole { role_id: role.role_id, input: RoleInput { scopes: role.scopes, description: role.description } })
        .collect();
    let client = |client: ImportClient| {
        Ok(BatchClient {
            client_id: client.client_id,
            expires_us: expires_us(&client.expires)?,
            description: client.description,
            scopes: client.scopes,
            delete_on_expiration: client.delete_on_expiration,
            disabled: client.disabled,
            access_token: client.access_token.map(Secret::new),
        })
    };
    Ok(Batch { roles, clients: given.clients.into_iter().map(client).collect::<Result<_, Failure>>()? })
}

/// The failure of the record that is at fault.
fn refused(fault: BatchError) -> Failure {
    let failure = Failure::from(fault.error);
    match fault.record {
        Some(record) => Failure { text: format!("{record}: {}", failure.text), ..failure },
        None => failure,
    }
}

fn shape(role_ids: Vec<String>, client_ids: Vec<String>, report: BatchReport) -> ImportReport {
    let roles = role_ids.into_iter().zip(report.roles).map(|(role_id, outcome)| ImportedRole { role_id, outcome: word(outcome) });
    let clients = client_ids.into_iter().zip(report.clients).map(|(client_id, (outcome, token))| ImportedClient {
        client_id,
        outcome: word(outcome),
        access_token: token.map(|token| token.expose().to_owned()),
    });
    ImportReport { roles: roles.collect(), clients: clients.collect() }
}

fn word(outcome: Outcome) -> ImportOutcome {
    match outcome {
        Outcome::Created => ImportOutcome::Created,
        Outcome::Updated => ImportOutcome::Updated,
        Outcome::Unchanged => ImportOutcome::Unchanged,
    }
}
