//! Many roles and clients in one decision: all of them or none, and repeating it changes nothing.

use std::collections::{HashMap, HashSet};

use falconer_scopes::{Role, RoleError, RoleSet};
use falconer_store::{AuditStart, ClientRecord, Details, Key, Revision, RoleRecord, Step, Write};

use crate::administer::clients::change::refuse_static;
use crate::administer::import::batch::{Batch, BatchClient, BatchError, BatchRecord, BatchReport, BatchRole, Outcome};
use crate::administer::import::record::{self, Planned};
use crate::change::acting::Acting;
use crate::change::decide::{Decision, Now};
use crate::error::ApiError;
use crate::node::Auth;
use crate::reserved;
use crate::verify::caller::Authentication;
use crate::view::ClientView;

/// What the audit and the logs call such a step.
const ACTION: &str = "imported";

/// Of a client's name so much of the history is looked at for whoever made it.
const LONGEST_HISTORY: u32 = 1000;

/// An error of one record, or of the caller.
type Fault = Box<BatchError>;

impl Auth {
    /// Makes the records of a batch what they shall be. The caller needs for each what createRole, updateRole, createClient, updateClient,
    /// enableClient and disableClient would need, and `auth:set-access-token:<clientId>` where a token is given.
    ///
    /// All or nothing, and idempotent: the same batch again changes nothing and says so. Roles are validated once, as they are afterwards. The token of a client
    /// that is there already is told to nobody but whoever made it (ADR 199).
    pub async fn import(&self, who: &Authentication, batch: &Batch) -> Result<(BatchReport, Revision), Box<BatchError>> {
        check(batch)?;
        let (mut at_fault, mut actor) = (None, String::new());
        let outcome = self
            .decide(|now| {
                at_fault = None;
                let acting = self.acting(now, who)?;
                actor = acting.caller.actor();
                self.plan(now, &acting, batch).map_err(|fault| {
                    at_fault = fault.record;
                    fault.error
                })
            })
            .await;
        let (mut report, revision) = outcome.map_err(|error| Box::new(BatchError { record: at_fault, error }))?;
        for (client, (outcome, token)) in batch.clients.iter().zip(&mut report.clients) {
            // A history that can't be read takes nothing back: the same batch tells the token once it can.
            if *outcome == Outcome::Unchanged && token.is_some() && !self.has_made(&actor, &client.client_id).await.unwrap_or(false) {
                *token = None;
            }
        }
        Ok((report, revision))
    }

    /// Whether this is who made the client that is there. `false` too where its name has a longer history than is looked at.
    async fn has_made(&self, actor: &str, client_id: &str) -> Result<bool, ApiError> {
        let Some(created_ms) = self.directory().client_record(client_id).map(|known| known.created_ms) else { return Ok(false) };
        let rows = self.node.store.entity_history("client", client_id, AuditStart::Offset(0), LONGEST_HISTORY).await;
        let rows = rows.map_err(|error| self.node.store_error(error))?;
        let creation = rows.iter().find(|row| row.at_ms == created_ms && matches!(row.action.as_str(), "created" | ACTION));
        Ok(creation.is_some_and(|creation| creation.actor == actor))
    }

    /// What [`Auth::import`] would do at the revision that is answered: the same checks and the same outcomes, without tokens; nothing is
    /// changed.
    pub fn plan_import(&self, who: &Authentication, batch: &Batch) -> Result<(BatchReport, Revision), Box<BatchError>> {
        check(batch)?;
        let now = Now { snapshot: self.directory(), now_ms: self.now_ms() };
        let acting = self.acting(&now, who).map_err(|error| Box::new(BatchError { record: None, error }))?;
        let (Decision::Keep(mut report) | Decision::Write(_, _, mut report) | Decision::Batch(_, _, _, mut report)) =
            self.plan(&now, &acting, batch)?;
        report.clients.iter_mut().for_each(|(_, token)| *token = None);
        Ok((report, now.snapshot.revision()))
    }

    /// Makes one client what it shall be, its access token included where one is given. Needs the same scopes as [`Auth::import`].
    pub async fn put_client(&self, who: &Authentication, client: &BatchClient) -> Result<(ClientView, Outcome, Revision), ApiError> {
        check_client(client)?;
        let ((record, outcome), revision) = self
            .decide(|now| {
                let acting = self.acting(now, who)?;
                let planned = self.plan_client(now, &acting, client)?;
                let Some(record) = planned.record else {
                    let known = now.snapshot.client_record(&client.client_id);
                    let record = known.ok_or_else(|| ApiError::Internal("a client that is not there is unchanged".to_owned()))?;
                    return Ok(Decision::Keep((record, planned.outcome)));
                };
                let mut step = acting.step(now, ACTION, Key::Client(client.client_id.clone()));
                step.details.put("client", &client.client_id, planned.changed);
                Ok(Decision::Write(step, Write::Batch(Vec::new(), vec![record.clone()]), (record, planned.outcome)))
            })
            .await?;
        Ok((self.view_of(record), outcome, revision))
    }

    fn plan(&self, now: &Now, acting: &Acting, batch: &Batch) -> Result<Decision<BatchReport>, Fault> {
        let mut report = BatchReport::default();
        let mut roles: Vec<RoleRecord> = Vec::new();
        let mut details = Details::default();
        for (index, role) in batch.roles.iter().enumerate() {
            let planned = record::plan_role(now, acting, role).map_err(at_role(index, role))?;
            report.roles.push(planned.outcome);
            details.put("role", &role.role_id, planned.changed);
            roles.extend(planned.record);
        }
        let mut clients: Vec<ClientRecord> = Vec::new();
        for (index, client) in batch.clients.iter().enumerate() {
            let Planned { outcome, record, token, changed } = self.plan_client(now, acting, client).map_err(at_client(index, client))?;
            report.clients.push((outcome, token));
            details.put("client", &client.client_id, changed);
            clients.extend(record);
        }
        let set = (!roles.is_empty()).then(|| validate(now, &roles, batch)).transpose()?;
        if roles.is_empty() && clients.is_empty() {
            return Ok(Decision::Keep(report));
        }
        let mut step = Step { details, ..acting.step(now, ACTION, Key::Role) };
        step.depends_on.extend(batch.clients.iter().map(|client| Key::Client(client.client_id.clone())));
        let write = Write::Batch(roles, clients);
        Ok(match set {
            Some(set) => Decision::Batch(step, write, set, report),
            None => Decision::Write(step, write, report),
        })
    }
}

/// The roles as they will be, validated once.
fn validate(now: &Now, roles: &[RoleRecord], batch: &Batch) -> Result<RoleSet, Fault> {
    let roles: Vec<Role> = roles.iter().map(|r| Role { role_id: r.role_id.clone(), scopes: r.scopes.clone() }).collect();
    now.snapshot
        .roles()
        .with_validated(&roles)
        .map_err(|error| Box::new(BatchError { record: role_at_fault(&error, &roles, batch), error: error.into() }))
}

/// The role of the batch that a refused set of roles is owed to: the one with the bad scope, or one of the cycle.
fn role_at_fault(error: &RoleError, changed: &[Role], batch: &Batch) -> Option<BatchRecord> {
    let id = match error {
        RoleError::InvalidScope { .. } => {
            let bad = |role: &&Role| matches!(falconer_scopes::validate(std::slice::from_ref(role)), Err(RoleError::InvalidScope { .. }));
            changed.iter().find(bad)?.role_id.as_str()
        }
        RoleError::TooManySteps { role_id, .. } => role_id.as_str(),
        // The printed path can begin with roles that are not on the cycle; its end is on it.
        RoleError::DependencyCycle { cycle, .. } => {
            let ids: HashSet<&str> = changed.iter().map(|role| role.role_id.as_str()).collect();
            cycle.iter().rev().filter_map(|pattern| pattern.strip_prefix("assume:")).find(|id| ids.contains(id))?
        }
    };
    let index = batch.roles.iter().position(|role| role.role_id == id)?;
    Some(BatchRecord { list: "roles", index, id: id.to_owned() })
}

/// What is refused before anybody is asked who they are.
fn check(batch: &Batch) -> Result<(), Fault> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (index, role) in batch.roles.iter().enumerate() {
        let once = first_time(&mut seen, "roles", &role.role_id, index);
        once.and_then(|()| crate::administer::roles::check(&role.role_id, &role.input)).map_err(at_role(index, role))?;
    }
    seen.clear();
    for (index, client) in batch.clients.iter().enumerate() {
        let once = first_time(&mut seen, "clients", &client.client_id, index);
        once.and_then(|()| check_client(client)).map_err(at_client(index, client))?;
    }
    Ok(())
}

fn check_client(client: &BatchClient) -> Result<(), ApiError> {
    refuse_static(&client.client_id)?;
    reserved::check_contents(&client.scopes, &client.description)
}

fn first_time<'b>(seen: &mut HashMap<&'b str, usize>, list: &str, id: &'b str, index: usize) -> Result<(), ApiError> {
    match seen.insert(id, index) {
        None => Ok(()),
        Some(before) => Err(ApiError::InputError(format!("{list}[{before}] has the same id"))),
    }
}

fn at_role(index: usize, role: &BatchRole) -> impl FnOnce(ApiError) -> Fault {
    at("roles", index, &role.role_id)
}

fn at_client(index: usize, client: &BatchClient) -> impl FnOnce(ApiError) -> Fault {
    at("clients", index, &client.client_id)
}

fn at(list: &'static str, index: usize, id: &str) -> impl FnOnce(ApiError) -> Fault {
    move |error| Box::new(BatchError { record: Some(BatchRecord { list, index, id: id.to_owned() }), error })
}
