//! Roles: list, read, create, update, delete (checks in the protocol's order).

use falconer_scopes::{Expression, Role};
use falconer_store::{Difference, Key, Revision, RoleRecord, Step, Write};

use crate::change::decide::Decision;
use crate::directory::snapshot::Snapshot;
use crate::error::ApiError;
use crate::node::Auth;
use crate::reserved;
use crate::verify::caller::{Authentication, Caller};
use crate::verify::reading::Reading;
use crate::view::{Page, PageQuery, RoleInput, RoleView};

impl Auth {
    /// All roles, by id.
    pub fn list_roles(&self, who: &Authentication) -> Result<Vec<RoleView>, ApiError> {
        let Reading { snapshot, caller, .. } = self.reading(who)?;
        caller.require_scope("auth:list-roles".to_owned())?;
        Ok(snapshot.role_records().map(|record| view(&snapshot, record)).collect())
    }

    /// One page of all roles, by id; everything without a query.
    pub fn list_roles2(&self, who: &Authentication, query: Option<PageQuery>) -> Result<Page<RoleView>, ApiError> {
        let Reading { snapshot, caller, .. } = self.reading(who)?;
        caller.require_scope("auth:list-roles".to_owned())?;
        Ok(Page::cut(
            snapshot.role_records(),
            &query.unwrap_or(EVERYTHING),
            |record| record.role_id.as_str().into(),
            |record| view(&snapshot, record),
        ))
    }

    /// One page of all role ids; everything without a query.
    pub fn list_role_ids(&self, who: &Authentication, query: Option<PageQuery>) -> Result<Page<String>, ApiError> {
        let Reading { snapshot, caller, .. } = self.reading(who)?;
        caller.require_scope("auth:list-roles".to_owned())?;
        Ok(Page::cut(snapshot.role_ids(), &query.unwrap_or(EVERYTHING), |id| (*id).into(), str::to_owned))
    }

    /// One role, by its exact id. 404 `Role not found`.
    pub fn role(&self, who: &Authentication, role_id: &str) -> Result<RoleView, ApiError> {
        let Reading { snapshot, caller, .. } = self.reading(who)?;
        caller.require_scope(format!("auth:get-role:{role_id}"))?;
        let record = snapshot.role(role_id).ok_or_else(|| ApiError::ResourceNotFound("Role not found".to_owned()))?;
        Ok(view(&snapshot, record))
    }

    /// Makes a role; the same values again give the same answer. Its scopes are stored sorted.
    pub async fn create_role(&self, who: &Authentication, role_id: &str, input: &RoleInput) -> Result<(RoleView, Revision), ApiError> {
        check(role_id, input)?;
        let (record, revision) = self
            .decide(|now| {
                let acting = self.acting(now, who)?;
                acting.caller.require(&needed(format!("auth:create-role:{role_id}"), &input.scopes))?;
                let mut scopes = input.scopes.clone();
                falconer_scopes::list::sort(&mut scopes);
                if let Some(known) = now.snapshot.role(role_id) {
                    if known.description == input.description && known.scopes == scopes {
                        return Ok(Decision::Keep(known));
                    }
                    return Err(ApiError::RequestConflict(format!("Role with roleId '{role_id}' already exists")));
                }
                let record = RoleRecord {
                    role_id: role_id.to_owned(),
                    scopes,
                    description: input.description.clone(),
                    created_ms: now.now_ms,
                    last_modified_ms: now.now_ms,
                };
                validate(&now.snapshot, &record)?;
                Ok(Decision::Write(acting.step(now, "created", Key::Role), Write::InsertRoles(vec![record.clone()]), record))
            })
            .await?;
        Ok((view(&self.directory(), record), revision))
    }

    /// Replaces description and scopes. A caller needs each scope that the role's present scopes do not come to.
    pub async fn update_role(&self, who: &Authentication, role_id: &str, input: &RoleInput) -> Result<(RoleView, Revision), ApiError> {
        self.update_role_seen(who, role_id, input, None).await
    }

    /// The same for somebody who has seen the role as it was last changed at `seen_ms`: 409 when it was changed since.
    pub async fn update_role_seen(
        &self,
        who: &Authentication,
        role_id: &str,
        input: &RoleInput,
        seen_ms: Option<i64>,
    ) -> Result<(RoleView, Revision), ApiError> {
        check(role_id, input)?;
        let (record, revision) = self
            .decide(|now| {
                let known = now.snapshot.role(role_id).ok_or_else(|| not_found(role_id))?;
                let acting = self.acting(now, who)?;
                require_update(&now.snapshot, &acting.caller, &known, input)?;
                reserved::refuse_unseen("role", known.last_modified_ms, seen_ms)?;
                let mut scopes = input.scopes.clone();
                if !role_id.ends_with('*') {
                    falconer_scopes::list::sort(&mut scopes);
                }
                let record = RoleRecord { scopes, description: input.description.clone(), last_modified_ms: now.now_ms, ..known.clone() };
                let changed = Difference::of_role(&known, &record);
                validate(&now.snapshot, &record)?;
                let step = Step { detail: changed.kept(), ..acting.step(now, "updated", Key::Role) };
                Ok(Decision::Write(step, Write::UpdateRole(record.clone()), record))
            })
            .await?;
        Ok((view(&self.directory(), record), revision))
    }

    /// Whether whoever has the role would get more by making it (`is_new`) or by this change: a scope that it does not come to now. It refuses whom createRole and
    /// updateRole refuse.
    pub fn role_gives_more(&self, who: &Authentication, role_id: &str, input: &RoleInput, is_new: bool) -> Result<bool, ApiError> {
        check(role_id, input)?;
        let Reading { snapshot, caller, .. } = self.reading(who)?;
        if is_new {
            caller.require(&needed(format!("auth:create-role:{role_id}"), &input.scopes))?;
            return Ok(!input.scopes.is_empty());
        }
        let known = snapshot.role(role_id).ok_or_else(|| not_found(role_id))?;
        require_update(&snapshot, &caller, &known, input)?;
        let has = snapshot.expand(&known.scopes);
        Ok(input.scopes.iter().any(|scope| !has.satisfies(scope)))
    }

    /// Deletes the role; fine when there is none.
    pub async fn delete_role(&self, who: &Authentication, role_id: &str) -> Result<Revision, ApiError> {
        self.delete_role_seen(who, role_id, None).await
    }

    /// The same for somebody who has seen the role as it was last changed at `seen_ms`: 409 when it was changed since.
    pub async fn delete_role_seen(&self, who: &Authentication, role_id: &str, seen_ms: Option<i64>) -> Result<Revision, ApiError> {
        self.decide(|now| {
            let acting = self.acting(now, who)?;
            acting.caller.require_scope(format!("auth:delete-role:{role_id}"))?;
            if let Some(known) = now.snapshot.role(role_id) {
                reserved::refuse_unseen("role", known.last_modified_ms, seen_ms)?;
            }
            Ok(Decision::Write(acting.step(now, "deleted", Key::Role), Write::DeleteRole(role_id.to_owned()), ()))
        })
        .await
        .map(|((), revision)| revision)
    }
}

const EVERYTHING: PageQuery = PageQuery::from_offset(0, u64::MAX);

fn not_found(role_id: &str) -> ApiError {
    ApiError::ResourceNotFound(format!("Role with roleId '{role_id}' not found"))
}

/// What is refused before anybody is asked who they are.
pub(crate) fn check(role_id: &str, input: &RoleInput) -> Result<(), ApiError> {
    reserved::check_contents(&input.scopes, &input.description)?;
    reserved::refuse_reserved_role(role_id)
}

pub(crate) fn validate(snapshot: &Snapshot, record: &RoleRecord) -> Result<(), ApiError> {
    snapshot.roles().validate_change(&Role { role_id: record.role_id.clone(), scopes: record.scopes.clone() })?;
    Ok(())
}

/// A caller needs each scope that the role's present scopes do not come to. Whoever may not update the role at all is told of every scope of the request, so
/// that nobody learns by guessing which of them the role has.
pub(crate) fn require_update(snapshot: &Snapshot, caller: &Caller, known: &RoleRecord, input: &RoleInput) -> Result<(), ApiError> {
    let update = format!("auth:update-role:{}", known.role_id);
    let may_update = caller.scopes.satisfies(&update);
    if may_update && caller.scopes.satisfies_all(input.scopes.iter().map(String::as_str)) {
        // Whoever has all scopes needs no others, whatever the role comes to.
        return Ok(());
    }
    let had = snapshot.expand(&known.scopes);
    caller.require(&needed(update, input.scopes.iter().filter(|scope| !may_update || !had.satisfies(scope))))
}

pub(crate) fn needed<'a>(first: String, scopes: impl IntoIterator<Item = &'a String>) -> Expression {
    Expression::all_of(std::iter::once(first).chain(scopes.into_iter().cloned()))
}

fn view(snapshot: &Snapshot, record: RoleRecord) -> RoleView {
    RoleView {
        expanded_scopes: snapshot.expand([format!("assume:{}", record.role_id)]),
        role_id: record.role_id,
        scopes: record.scopes,
        description: record.description,
        last_modified_ms: record.last_modified_ms,
        created_ms: record.created_ms,
    }
}
