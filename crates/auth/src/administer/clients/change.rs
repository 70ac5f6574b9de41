//! Clients: list, read, create, update, enable, disable, delete (checks in the protocol's order).

use falconer_scopes::{Expression, ScopeSet};
use falconer_store::{ClientRecord, Difference, Key, Revision, RevokedCertificates, Secret, Step, Write};

use crate::administer::added::added;
use crate::administer::scope_registries::check_words;
use crate::change::acting::Acting;
use crate::change::decide::{Decision, Now};
use crate::directory::records::ScopeRegistries;
use crate::error::ApiError;
use crate::node::Auth;
use crate::reserved;
use crate::time::MINUTE_MS;
use crate::verify::caller::{Authentication, Caller};
use crate::view::{ClientInput, ClientView, Page, PageQuery};

/// How long after its creation a client can be asked for again with the same values.
const REPEAT_MS: i64 = 15 * MINUTE_MS;

impl Auth {
    /// Clients whose id begins with `prefix`, by id.
    pub fn list_clients(&self, who: &Authentication, prefix: &str, query: PageQuery) -> Result<Page<ClientView>, ApiError> {
        let reading = self.reading(who)?;
        reading.caller.require_scope("auth:list-clients".to_owned())?;
        let clients = reading.snapshot.clients_from(prefix, query.start.last_id());
        Ok(Page::cut(clients, &query, |client| client.id().into(), |client| self.view(&reading.snapshot, &client.client(), reading.now_ms)))
    }

    /// One client. 404 `Client not found`.
    pub fn client(&self, who: &Authentication, client_id: &str) -> Result<ClientView, ApiError> {
        let reading = self.reading(who)?;
        reading.caller.require_scope(format!("auth:get-client:{client_id}"))?;
        let client = reading.snapshot.client_entry(client_id).ok_or_else(not_found)?;
        Ok(self.view(&reading.snapshot, &client.client(), reading.now_ms))
    }

    /// Makes a client; the answer has its access token. The same values again within 15 minutes give the same answer.
    pub async fn create_client(
        &self,
        who: &Authentication,
        client_id: &str,
        input: &ClientInput,
    ) -> Result<(ClientView, Revision), ApiError> {
        self.create_client_read_in(who, client_id, input, None).await
    }

    /// The same by somebody who has read in these words of services what it gives. 409 too where a service has published others of its scopes since.
    pub async fn create_read_client(
        &self,
        who: &Authentication,
        client_id: &str,
        input: &ClientInput,
        words: &ScopeRegistries,
    ) -> Result<(ClientView, Revision), ApiError> {
        self.create_client_read_in(who, client_id, input, Some(words)).await
    }

    async fn create_client_read_in(
        &self,
        who: &Authentication,
        client_id: &str,
        input: &ClientInput,
        words: Option<&ScopeRegistries>,
    ) -> Result<(ClientView, Revision), ApiError> {
        check(client_id, input)?;
        let scopes = input.scopes.clone().unwrap_or_default();
        let (record, revision) = self
            .decide(|now| {
                let acting = self.acting(now, who)?;
                acting.caller.require(&needed(format!("auth:create-client:{client_id}"), scopes.iter()))?;
                if now.snapshot.is_name_of_grant(client_id) {
                    return Err(ApiError::InputError(format!("clientId \"{client_id}\" belongs to a grant")));
                }
                match now.snapshot.client_record(client_id) {
                    None => {
                        check_words(now, words, &ScopeSet::new(&scopes))?;
                        let record = self.new_client(now, &acting, client_id, input, scopes.clone());
                        let mut step = acting.step(now, "created", Key::Client(client_id.to_owned()));
                        step.depends_on.extend(words.map(|_| Key::ScopeRegistries));
                        Ok(Decision::Write(step, Write::InsertClient(record.clone()), record))
                    }
                    Some(known) if is_repeat(&known, &acting, input, &scopes, now.now_ms) => {
                        ApiError::if_not_opened(&known)?;
                        let step = acting.step(now, "created", Key::Client(client_id.to_owned()));
                        Ok(Decision::Write(step, Write::NoteRepeat("client".to_owned(), client_id.to_owned()), known))
                    }
                    Some(_) => Err(ApiError::RequestConflict("Client already exists".to_owned())),
                }
            })
            .await?;
        Ok((self.view_with_token(record), revision))
    }

    /// Replaces description, expiry and deleteOnExpiration, and the scopes where they are given. A caller needs each scope that is not
    /// literally there already.
    pub async fn update_client(
        &self,
        who: &Authentication,
        client_id: &str,
        input: &ClientInput,
    ) -> Result<(ClientView, Revision), ApiError> {
        self.update_client_seen(who, client_id, input, None).await
    }

    /// The same for somebody who has seen the client as it was last changed at `seen_ms`: 409 when it was changed since.
    pub async fn update_client_seen(
        &self,
        who: &Authentication,
        client_id: &str,
        input: &ClientInput,
        seen_ms: Option<i64>,
    ) -> Result<(ClientView, Revision), ApiError> {
        check(client_id, input)?;
        self.change(client_id, "updated", |now, known| {
            let acting = self.acting(now, who)?;
            acting.caller.require(&update_needs(client_id, &acting.caller, known, input))?;
            reserved::refuse_unseen("client", known.last_modified_ms, seen_ms)?;
            let mut record = touched(known, &acting, now);
            record.description.clone_from(&input.description);
            record.expires_us = input.expires_us;
            record.delete_on_expiration = input.delete_on_expiration;
            if let Some(scopes) = &input.scopes {
                record.scopes.clone_from(scopes);
            }
            Ok((acting, record))
        })
        .await
    }

    /// Whether whoever has the token of the client would get more by this change: a scope that it does not come to now, or more time. It refuses whom updateClient
    /// refuses.
    pub fn client_gives_more(&self, who: &Authentication, client_id: &str, input: &ClientInput) -> Result<bool, ApiError> {
        check(client_id, input)?;
        let reading = self.reading(who)?;
        let known = reading.snapshot.client_record(client_id).ok_or_else(not_found)?;
        reading.caller.require(&update_needs(client_id, &reading.caller, &known, input))?;
        let has = reading.snapshot.expand(&known.scopes);
        Ok(input.expires_us > known.expires_us || input.scopes.iter().flatten().any(|scope| !has.satisfies(scope)))
    }

    /// Lets the client authenticate again.
    pub async fn enable_client(&self, who: &Authentication, client_id: &str) -> Result<(ClientView, Revision), ApiError> {
        self.change_existing(who, client_id, "enable-client", "client enabled", |_, acting, record| ClientRecord {
            disabled: false,
            grant: record.grant.clone().or_else(|| acting.caller.grant.clone()),
            ..record
        })
        .await
        .map(|(record, revision)| (self.view_of(record), revision))
    }

    /// Stops the client from authenticating, at once.
    pub async fn disable_client(&self, who: &Authentication, client_id: &str) -> Result<(ClientView, Revision), ApiError> {
        self.change_existing(who, client_id, "disable-client", "client disabled", |_, _, record| ClientRecord {
            disabled: true,
            // Enabling brings back what the client had, and not what was to end.
            old_token: None,
            ..record
        })
        .await
        .map(|(record, revision)| (self.view_of(record), revision))
    }

    /// Deletes the client; fine when there is none.
    pub async fn delete_client(&self, who: &Authentication, client_id: &str) -> Result<Revision, ApiError> {
        self.decide(|now| {
            let acting = self.acting(now, who)?;
            acting.caller.require_scope(format!("auth:delete-client:{client_id}"))?;
            refuse_static(client_id)?;
            let step = acting.step(now, "deleted", Key::Client(client_id.to_owned()));
            Ok(Decision::Write(step, Write::DeleteClient(client_id.to_owned()), ()))
        })
        .await
        .map(|((), revision)| revision)
    }

    /// The order that enable and disable share: 401 and 403, static, 404.
    async fn change_existing(
        &self,
        who: &Authentication,
        client_id: &str,
        verb: &str,
        action: &'static str,
        change: impl Fn(&Now, &Acting, ClientRecord) -> ClientRecord + Send + Sync,
    ) -> Result<(ClientRecord, Revision), ApiError> {
        self.decide(|now| {
            let acting = self.acting(now, who)?;
            acting.caller.require_scope(format!("auth:{verb}:{client_id}"))?;
            refuse_static(client_id)?;
            let mut record = now.snapshot.client_record(client_id).ok_or_else(not_found)?;
            record.last_modified_ms = now.now_ms;
            let record = change(now, &acting, record);
            let step = acting.step(now, action, Key::Client(client_id.to_owned()));
            Ok(Decision::Write(step, Write::UpdateClient(record.clone()), record))
        })
        .await
    }

    /// 404 first, then whatever `change` decides.
    async fn change(
        &self,
        client_id: &str,
        action: &'static str,
        change: impl Fn(&Now, &ClientRecord) -> Result<(Acting, ClientRecord), ApiError> + Send + Sync,
    ) -> Result<(ClientView, Revision), ApiError> {
        let (record, revision) = self
            .decide(|now| {
                let known = now.snapshot.client_record(client_id).ok_or_else(not_found)?;
                let (acting, record) = change(now, &known)?;
                let step = acting.step(now, action, Key::Client(client_id.to_owned()));
                let step = Step { detail: Difference::of_client(&known, &record).kept(), ..step };
                Ok(Decision::Write(step, Write::UpdateClient(record.clone()), record))
            })
            .await?;
        Ok((self.view_of(record), revision))
    }

    pub(crate) fn new_client(&self, now: &Now, acting: &Acting, client_id: &str, input: &ClientInput, scopes: Vec<String>) -> ClientRecord {
        ClientRecord {
            client_id: client_id.to_owned(),
            description: input.description.clone(),
            access_token: self.new_token(),
            expires_us: input.expires_us,
            created_ms: now.now_ms,
            last_modified_ms: now.now_ms,
            last_date_used_ms: now.now_ms,
            last_rotated_ms: now.now_ms,
            delete_on_expiration: input.delete_on_expiration,
            scopes,
            disabled: false,
            grant: acting.caller.grant.clone(),
            old_token: None,
            revoked: RevokedCertificates::default(),
        }
    }

    pub(crate) fn new_token(&self) -> Secret {
        Secret::new(falconer_credentials::new_access_token(self.node.draw::<32>()).expose())
    }
}

/// The record that an update with these credentials leaves. From then on it can do no more than the grant that touched it; a mark that
/// is there stays, because whoever knows the token got it under that mark.
pub(crate) fn touched(known: &ClientRecord, acting: &Acting, now: &Now) -> ClientRecord {
    let record = known.clone();
    ClientRecord { last_modified_ms: now.now_ms, grant: record.grant.clone().or_else(|| acting.caller.grant.clone()), ..record }
}

/// The mark of a client whose token is new. Who resets knows the token: with a grant, the client can do what that grant can from then on.
/// Without one, the mark goes only for somebody who could have given the client its scopes: else a grant could put scopes on a client of
/// somebody who lacks them, for them to keep by a reset.
pub(crate) fn mark_after_reset(record: &ClientRecord, acting: &Acting) -> Option<String> {
    let caller = &acting.caller;
    let could_give = caller.scopes.satisfies_all(record.scopes.iter().map(String::as_str));
    match &record.grant {
        Some(mark) if caller.grant.is_none() && !could_give => Some(mark.clone()),
        _ => caller.grant.clone(),
    }
}

/// Whether createClient asks for what was just made. The answer shows the token, so the mark of a grant has to be the same too: else a
/// grant could fetch the token of a client that outlives it.
pub(crate) fn is_repeat(known: &ClientRecord, acting: &Acting, input: &ClientInput, scopes: &[String], now_ms: i64) -> bool {
    known.scopes == scopes
        && known.expires_us == input.expires_us
        && known.description == input.description
        && !known.disabled
        && known.grant == acting.caller.grant
        && now_ms.saturating_sub(known.created_ms) < REPEAT_MS
}

/// What is refused before anybody is asked who they are.
pub(crate) fn check(client_id: &str, input: &ClientInput) -> Result<(), ApiError> {
    refuse_static(client_id)?;
    let scopes = input.scopes.as_deref().unwrap_or_default();
    reserved::check_contents(scopes, &input.description)
}

/// A caller needs each scope that is not literally there already. Whoever may not update the client at all is told of every scope of the request, so that
/// nobody learns by guessing which of them the client has.
pub(crate) fn update_needs(client_id: &str, caller: &Caller, known: &ClientRecord, input: &ClientInput) -> Expression {
    let update = format!("auth:update-client:{client_id}");
    let may_update = caller.scopes.satisfies(&update);
    let given = input.scopes.as_deref().unwrap_or_default();
    let owed = if may_update { added(given, &known.scopes) } else { given.iter().collect() };
    needed(update, owed.into_iter())
}

pub(crate) fn needed<'a>(first: String, scopes: impl Iterator<Item = &'a String>) -> Expression {
    Expression::all_of(std::iter::once(first).chain(scopes.cloned()))
}

pub(super) fn not_found() -> ApiError {
    ApiError::ResourceNotFound("Client not found".to_owned())
}

pub(crate) fn refuse_static(client_id: &str) -> Result<(), ApiError> {
    if client_id.starts_with("static/") {
        return Err(ApiError::InputError(format!(
            "clientId \"{client_id}\" starts with \"static/\" which is reserved for statically configured clients. \
             Contact your administrator to change static clients."
        )));
    }
    Ok(())
}
