//! What a change of a role or a client would do, before it is made.
//!
//! The present snapshot is held against one with the change. Who can't reach the role keeps what they have, so that only those who can are
//! looked at twice.

use falconer_scopes::{ScopeSet, takes_part};
use falconer_store::RoleRecord;

use crate::administer::added::added;
use crate::administer::clients::change;
use crate::administer::roles;
use crate::directory::clients::client::Client;
use crate::directory::entries::Person;
use crate::directory::snapshot::Snapshot;
use crate::error::ApiError;
use crate::node::Auth;
use crate::verify::caller::Authentication;
use crate::verify::reading::Reading;
use crate::view::{ClientInput, RoleInput};

/// How many of those who gain or lose something are named, each kind.
const NAMED: usize = 20;

/// What comes and what goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Held afterwards and not before.
    pub added: Vec<String>,
    /// Held before and not afterwards.
    pub removed: Vec<String>,
}

impl Difference {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    fn of_sets(before: &ScopeSet, after: &ScopeSet) -> Difference {
        let lacking = |from: &ScopeSet, to: &ScopeSet| from.iter().filter(|scope| !to.satisfies(scope)).map(str::to_owned).collect();
        Difference { added: lacking(after, before), removed: lacking(before, after) }
    }

    fn of_lists(before: &[String], after: &[String]) -> Difference {
        let lacking = |from: &[String], to: &[String]| {
            let mut lacking: Vec<String> = added(from, to).into_iter().cloned().collect();
            falconer_scopes::list::sort(&mut lacking);
            lacking
        };
        Difference { added: lacking(after, before), removed: lacking(before, after) }
    }
}

/// Those of one kind who would gain or lose something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    /// All of them.
    pub count: usize,
    /// The first of them by id, and what changes for each; empty when the caller may not list this kind.
    pub first: Vec<(String, Difference)>,
    /// What a caller needs to be told the names, if it lacks that.
    pub names_need: Option<&'static str>,
}

/// What a change would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Of the scopes as they are written.
    pub written: Difference,
    /// Of what they come to.
    pub expanded: Difference,
    /// Clients, but for the one that is changed.
    pub clients: Affected,
    /// Roles, but for the one that is changed.
    pub roles: Affected,
    /// People.
    pub people: Affected,
}

impl Auth {
    /// What createClient or updateClient with this input would do; it refuses what they refuse.
    pub fn plan_client_change(&self, who: &Authentication, client_id: &str, input: &ClientInput) -> Result<Plan, ApiError> {
        change::check(client_id, input)?;
        let Reading { snapshot, caller, now_ms } = self.reading(who)?;
        let Some(known) = snapshot.client(client_id) else {
            let given = input.scopes.clone().unwrap_or_default();
            caller.require(&change::needed(format!("auth:create-client:{client_id}"), given.iter()))?;
            return Ok(Plan {
                written: Difference::of_lists(&[], &given),
                expanded: Difference::of_sets(&ScopeSet::default(), &snapshot.expand(&given)),
                ..Plan::default()
            });
        };
        let before = known.record();
        caller.require(&change::update_needs(client_id, &caller, &before, input))?;
        let mut record = before.clone();
        if let Some(scopes) = &input.scopes {
            record.scopes.clone_from(scopes);
        }
        let written = Difference::of_lists(&before.scopes, &record.scopes);
        let after = self.node.effective_scopes(&snapshot, &Client::detached(record), now_ms);
        Ok(Plan {
            written,
            expanded: Difference::of_sets(&self.node.effective_scopes(&snapshot, known, now_ms), &after),
            ..Plan::default()
        })
    }

    /// What createRole or updateRole with this input would do, `None`: deleteRole. It refuses what they refuse.
    pub fn plan_role_change(&self, who: &Authentication, role_id: &str, input: Option<&RoleInput>) -> Result<Plan, ApiError> {
        if let Some(input) = input {
            roles::check(role_id, input)?;
        }
        let Reading { snapshot, caller, now_ms } = self.reading(who)?;
        let known = snapshot.role(role_id);
        match (input, &known) {
            (None, _) => caller.require_scope(format!("auth:delete-role:{role_id}"))?,
            (Some(input), None) => caller.require(&roles::needed(format!("auth:create-role:{role_id}"), &input.scopes))?,
            (Some(input), Some(known)) => roles::require_update(&snapshot, &caller, known, input)?,
        }
        let record = input.map(|input| RoleRecord {
            role_id: role_id.to_owned(),
            scopes: input.scopes.clone(),
            description: input.description.clone(),
            created_ms: now_ms,
            last_modified_ms: now_ms,
        });
        if let Some(record) = &record {
            roles::validate(&snapshot, record)?;
        }
        let scopes_of = |record: Option<&RoleRecord>| record.map(|record| record.scopes.clone()).unwrap_or_default();
        let written = Difference::of_lists(&scopes_of(known.as_ref()), &scopes_of(record.as_ref()));
        let next = snapshot.planned(role_id, record);
        let of_role = |snapshot: &Snapshot| snapshot.expand([format!("assume:{role_id}")]);
        let names = |scope: &'static str| (!caller.scopes.satisfies(scope)).then_some(scope);
        Ok(Plan {
            written,
            expanded: Difference::of_sets(&of_role(&snapshot), &of_role(&next)),
            clients: self.clients_affected(&snapshot, &next, role_id, now_ms).with_names_only_for(names("auth:list-clients")),
            roles: roles_affected(&snapshot, &next, role_id).with_names_only_for(names("auth:list-roles")),
            // The ids of a person's clients begin with who the person is: whoever may list clients is told nothing new.
            people: self.people_affected(&snapshot, &next, role_id, now_ms).with_names_only_for(names("auth:list-clients")),
        })
    }

    fn clients_affected(&self, before: &Snapshot, after: &Snapshot, role_id: &str, now_ms: i64) -> Affected {
        let mut affected = Affected::default();
        for client in before.clients("").map(|client| client.client()) {
            // What bounds a client, a grant or its owner, may reach the role although the client itself does not.
            let is_bound = client.grant().is_some() || before.owners(client.id()).next().is_some();
            if is_bound || takes_part(role_id, &before.expansion_of(&client).scopes) {
                let effective = |snapshot: &Snapshot| self.node.effective_scopes(snapshot, &client, now_ms);
                affected.note(client.id(), &effective(before), &effective(after));
            }
        }
        affected
    }

    fn people_affected(&self, before: &Snapshot, after: &Snapshot, role_id: &str, now_ms: i64) -> Affected {
        let expansion =
            |person: &Person| before.expansion_of_people(before.linked(&person.record.id).flat_map(|linked| linked.record.all_scopes()));
        let mut people: Vec<_> = before.people().filter(|person| takes_part(role_id, &expansion(person))).collect();
        people.sort_by(|a, b| a.record.name.cmp(&b.record.name));
        let mut affected = Affected::default();
        for person in people {
            let present = |snapshot: &Snapshot| self.node.present_scopes_of_person(snapshot, person, now_ms).unwrap_or_default();
            affected.note(&person.record.name, &present(before), &present(after));
        }
        affected
    }
}

fn roles_affected(before: &Snapshot, after: &Snapshot, role_id: &str) -> Affected {
    let mut affected = Affected::default();
    for role in before.role_records().filter(|role| role.role_id != role_id) {
        let assumed = [format!("assume:{}", role.role_id)];
        let had = before.expand(&assumed);
        if takes_part(role_id, &had) {
            affected.note(&role.role_id, &had, &after.expand(&assumed));
        }
    }
    affected
}

impl Affected {
    fn note(&mut self, id: &str, before: &ScopeSet, after: &ScopeSet) {
        if before == after {
            return;
        }
        let difference = Difference::of_sets(before, after);
        if difference.is_empty() {
            return;
        }
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push((id.to_owned(), difference));
        }
    }

    /// Without names where the caller may not know them.
    fn with_names_only_for(mut self, names_need: Option<&'static str>) -> Affected {
        if names_need.is_some() {
            self.first.clear();
        }
        Affected { names_need, ..self }
    }
}
