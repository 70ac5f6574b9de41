//! What a change made of a record, to stand in the history: how it was and how it is, within bounds, and nothing that is secret.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    ApplicationRecord, ClientRecord, IdentityRecord, InitialTokenRecord, RoleRecord, ScimKind, ScimRecord, ScopeRegistryRecord,
    ScopeSentence,
};

/// Of what was added to a list, and of what was removed, so many bytes are kept.
const MOST_BYTES: usize = 16 * 1024;
/// How a directory calls the name of a group.
const GROUP_NAME: &str = "displayName";
/// Of a text so many characters are kept.
const LONGEST_KEPT: usize = 500;

/// What a change made of a record. Members are the names of what differs.
#[derive(Debug, Default)]
pub struct Difference(Map<String, Value>);

impl Difference {
    /// Of what was added to a list, and of what was removed, so many are kept with a row of the history.
    pub const MOST_KEPT: usize = 100;

    /// Of a client, but for its token.
    pub fn of_client(before: &ClientRecord, after: &ClientRecord) -> Difference {
        // All of them by name, so that a new one is told or left out on purpose.
        let ClientRecord {
            client_id: _,
            description: _,
            access_token: _,
            old_token: _,
            expires_us: _,
            // Each row of the history has its time.
            created_ms: _,
            last_modified_ms: _,
            last_date_used_ms: _,
            last_rotated_ms: _,
            delete_on_expiration: _,
            scopes: _,
            disabled: _,
            grant: _,
            revoked: _,
        } = before;
        Difference::default()
            .list("scopes", &before.scopes, &after.scopes)
            .text("description", &before.description, &after.description)
            .value("expiresMs", before.expires_us.div_euclid(1000), after.expires_us.div_euclid(1000))
            .value("deleteOnExpiration", before.delete_on_expiration, after.delete_on_expiration)
            .value("disabled", before.disabled, after.disabled)
            .value("oldTokenEndsMs", ends_of_old(before), ends_of_old(after))
            .value("certificatesFromMs", before.revoked.before_ms, after.revoked.before_ms)
            .list("revokedSeeds", &seeds(before), &seeds(after))
            .optional("grant", before.grant.as_deref(), after.grant.as_deref())
    }

    /// Of an application, but for its secrets.
    pub fn of_application(before: &ApplicationRecord, after: &ApplicationRecord) -> Difference {
        let kind = |record: &ApplicationRecord| if record.confidential { "confidential" } else { "public" };
        Difference::default()
            .text("name", &before.name, &after.name)
            .text("description", &before.description, &after.description)
            .text("owner", &before.owner, &after.owner)
            .list("redirectUris", &before.redirect_uris, &after.redirect_uris)
            .list("scopes", &before.scopes, &after.scopes)
            .value("maxLifeMs", before.max_life_ms, after.max_life_ms)
            .text("kind", kind(before), kind(after))
            .value("rememberMs", before.remember_ms, after.remember_ms)
            .value("skipConsent", before.skip_consent, after.skip_consent)
            .value("pushedOnly", before.pushed_only, after.pushed_only)
            .text("idTokenAlg", before.id_token_alg.as_str(), after.id_token_alg.as_str())
            .value("dpopBoundAccessTokens", before.dpop_bound_access_tokens, after.dpop_bound_access_tokens)
            .list("keys", &before.keys, &after.keys)
            .value("agent", before.agent, after.agent)
            .text("backchannelLogoutUri", &before.backchannel_logout_uri, &after.backchannel_logout_uri)
            .value("secretMadeMs", before.secret_made_ms, after.secret_made_ms)
    }

    /// Of an initial token, which is not changed once it is there.
    pub fn of_initial_token(token: &InitialTokenRecord) -> Difference {
        Difference::default()
            .text("description", "", &token.description)
            .text("owner", "", &token.owner)
            .list("scopes", &[], &token.scopes)
            .value("maxLifeMs", 0, token.max_life_ms)
            .value("maxUses", 0, token.max_uses)
            .value("expiresMs", 0, token.expires_ms)
    }

    /// Of what a service says of its scopes. `None`: it says nothing.
    pub fn of_scope_registry(before: Option<&ScopeRegistryRecord>, after: Option<&ScopeRegistryRecord>) -> Difference {
        let lines = |record: Option<&ScopeRegistryRecord>| -> Vec<String> {
            record.iter().flat_map(|record| &record.scopes).map(ScopeSentence::in_a_line).collect()
        };
        Difference::default().list("scopes", &lines(before), &lines(after))
    }

    /// Of a role.
    pub fn of_role(before: &RoleRecord, after: &RoleRecord) -> Difference {
        Difference::default().list("scopes", &before.scopes, &after.scopes).text("description", &before.description, &after.description)
    }

    /// Of what is said of somebody, by their provider and by those that add to it. `None`: nothing was said before.
    pub fn of_identity(before: Option<&IdentityRecord>, after: &IdentityRecord) -> Difference {
        let nothing = IdentityRecord {
            display_name: String::new(),
            email: None,
            email_verified: false,
            username: None,
            groups: Vec::new(),
            scopes: Vec::new(),
            additions: Vec::new(),
            disabled: false,
            gone: false,
            ..after.clone()
        };
        let before = before.unwrap_or(&nothing);
        let all = |identity: &IdentityRecord| -> [Vec<String>; 2] {
            [identity.all_groups().cloned().collect(), identity.all_scopes().flatten().cloned().collect()]
        };
        let ([groups_before, scopes_before], [groups, scopes]) = (all(before), all(after));
        Difference::default()
            .list("groups", &groups_before, &groups)
            .list("scopes", &scopes_before, &scopes)
            .text("displayName", &before.display_name, &after.display_name)
            .optional("email", before.email.as_deref(), after.email.as_deref())
            .value("emailVerified", before.email_verified, after.email_verified)
            .optional("username", before.username.as_deref(), after.username.as_deref())
            .value("disabled", before.disabled, after.disabled)
            .value("gone", before.gone, after.gone)
    }

    /// Of a user or a group that a directory pushes, but for who is in which group; `None`: it was not there before, or is gone. The name is there also where it is as
    /// it was: an id says nothing to anybody.
    pub fn of_pushed(before: Option<&ScimRecord>, after: Option<&ScimRecord>) -> Difference {
        let Some(any) = after.or(before) else { return Difference::default() };
        let of = |text: fn(&ScimRecord) -> Option<&str>| {
            let of = |record: Option<&'_ ScimRecord>| record.and_then(text).filter(|text| !text.is_empty()).map(str::to_owned);
            (of(before), of(after))
        };
        let title = match any.kind {
            ScimKind::User => "userName",
            ScimKind::Group => GROUP_NAME,
        };
        let (name, external_id) = (of(|record| Some(&record.name)), of(|record| record.external_id.as_deref()));
        let changed = match name {
            (Some(before), Some(after)) if before == after => Difference::default().unchanged(title, &after),
            (before, after) => Difference::default().optional(title, before.as_deref(), after.as_deref()),
        };
        let changed = changed.optional("externalId", external_id.0.as_deref(), external_id.1.as_deref());
        if any.kind == ScimKind::Group {
            return changed;
        }
        let shown = of(|record| Some(&record.display_name));
        let active = |record: Option<&ScimRecord>| record.map(|record| record.active);
        let rest = |record: Option<&ScimRecord>| -> Map<String, Value> {
            record.and_then(|record| serde_json::from_str(&record.profile).ok()).unwrap_or_default()
        };
        let (was, is) = (rest(before), rest(after));
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        let changed =
            changed.optional("displayName", shown.0.as_deref(), shown.1.as_deref()).value("active", active(before), active(after));
        names.into_iter().fold(changed, |changed, name| changed.value(name, short(was.get(name)), short(is.get(name))))
    }

    /// Of a group that keeps its name.
    pub fn of_group_named(name: &str) -> Difference {
        Difference::default().unchanged(GROUP_NAME, name)
    }

    /// A list without an order: `{"added": [...], "removed": [...]}`, and `"more"` where not all of them are kept.
    fn list(self, name: &str, before: &[String], after: &[String]) -> Difference {
        let (added, removed) = (lacking(after, before), lacking(before, after));
        let all = added.len() + removed.len();
        self.moved(name, added, removed, all)
    }

    /// The same where it is known what came and what left, or the first of both: `all` is how many there are together.
    #[must_use]
    pub fn moved<'s>(
        mut self,
        name: &str,
        added: impl IntoIterator<Item = &'s String>,
        removed: impl IntoIterator<Item = &'s String>,
        all: usize,
    ) -> Difference {
        if all > 0 {
            let (added, removed) = (kept(added), kept(removed));
            let more = all - added.len() - removed.len();
            let mut changed = json!({ "added": added, "removed": removed });
            if let (true, Some(changed)) = (more > 0, changed.as_object_mut()) {
                changed.insert("more".to_owned(), more.into());
            }
            self.0.insert(name.to_owned(), changed);
        }
        self
    }

    /// A text: `{"before": "...", "after": "..."}`, each cut where it is long.
    fn text(self, name: &str, before: &str, after: &str) -> Difference {
        self.optional(name, Some(before), Some(after))
    }

    /// The same of a text that may be missing: `null`.
    fn optional(mut self, name: &str, before: Option<&str>, after: Option<&str>) -> Difference {
        if before != after {
            self.0.insert(name.to_owned(), json!({ "before": before.map(cut), "after": after.map(cut) }));
        }
        self
    }

    /// A number or whether something is so.
    fn value(mut self, name: &str, before: impl Into<Value>, after: impl Into<Value>) -> Difference {
        let (before, after) = (before.into(), after.into());
        if before != after {
            self.0.insert(name.to_owned(), json!({ "before": before, "after": after }));
        }
        self
    }

    /// A text that is as it was: `"..."`.
    fn unchanged(mut self, name: &str, text: &str) -> Difference {
        self.0.insert(name.to_owned(), cut(text).into());
        self
    }

    /// With what says why.
    #[must_use]
    pub fn because(mut self, why: &Value) -> Difference {
        for (name, value) in why.as_object().into_iter().flatten() {
            self.0.insert(name.clone(), value.clone());
        }
        self
    }

    /// `None`: nothing differs.
    pub fn kept(self) -> Option<Value> {
        (!self.0.is_empty()).then_some(Value::Object(self.0))
    }
}

/// A value of JSON as it is, or as the beginning of its text where that is long.
fn short(value: Option<&Value>) -> Value {
    let Some(value) = value else { return Value::Null };
    let text = value.to_string();
    if text.chars().count() > LONGEST_KEPT { cut(&text).into() } else { value.clone() }
}

fn ends_of_old(client: &ClientRecord) -> Option<i64> {
    client.old_token.as_ref().map(|old| old.ends_ms)
}

fn seeds(client: &ClientRecord) -> Vec<String> {
    client.revoked.seeds.iter().map(|revoked| revoked.seed.clone()).collect()
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST_KEPT).collect()
}

/// What of all is not among these; in the order of all.
fn lacking<'s>(all: &'s [String], from: &[String]) -> Vec<&'s String> {
    let mut from: Vec<&str> = from.iter().map(String::as_str).collect();
    from.sort_unstable();
    all.iter().filter(|item| from.binary_search(&item.as_str()).is_err()).collect()
}

/// The first of them, as many as fit.
fn kept<'s>(all: impl IntoIterator<Item = &'s String>) -> Vec<String> {
    let mut left = MOST_BYTES;
    let mut kept = Vec::new();
    for item in all.into_iter().take(Difference::MOST_KEPT) {
        let item = cut(item);
        let Some(rest) = left.checked_sub(item.len()) else { break };
        left = rest;
        kept.push(item);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;
    use crate::records::RevokedCertificates;

    /// Story: a client that could do what it wanted was bound to a grant by a reset with its credentials, or freed from it by another one, and the history did not say so.
    #[test]
    fn that_a_client_is_bound_to_a_grant_or_freed_from_it_is_told() {
        let free = ClientRecord {
            client_id: "c".to_owned(),
            description: String::new(),
            access_token: Secret::new("token"),
            old_token: None,
            expires_us: 0,
            created_ms: 0,
            last_modified_ms: 0,
            last_date_used_ms: 0,
            last_rotated_ms: 0,
            delete_on_expiration: false,
            scopes: Vec::new(),
            disabled: false,
            grant: None,
            revoked: RevokedCertificates::default(),
        };
        let bound = ClientRecord { grant: Some("g1".to_owned()), ..free.clone() };
        let told = |before, after| Difference::of_client(before, after).kept();
        assert_eq!(told(&free, &bound), Some(json!({ "grant": { "before": null, "after": "g1" } })));
        assert_eq!(told(&bound, &free), Some(json!({ "grant": { "before": "g1", "after": null } })));
        assert_eq!(told(&bound, &bound), None);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let long = |count: usize, length: usize| (0..count).map(|at| format!("{at}{}", "é".repeat(length))).collect::<Vec<_>>();
        for (before, after, most) in
            [(long(0, 0), long(5000, 5000), 20_000), (long(300, 3), long(0, 0), 20_000), (long(1, 90_000), long(1, 80_000), 5_000)]
        {
            let changed =
                Difference::default().list("scopes", &before, &after).text("x", &before.concat(), &after.concat()).kept().unwrap();
            assert!(changed.to_string().len() < most + 5_000, "{}", changed.to_string().len());
            let count = |name: &str| changed["scopes"][name].as_array().unwrap().len();
            let more = changed["scopes"].get("more").map_or(0, |more| more.as_u64().unwrap() as usize);
            assert_eq!(count("added") + count("removed") + more, before.len() + after.len());
        }
    }
}
