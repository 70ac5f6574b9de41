//! Granting: from what the page showed and the person chose to a URL that carries credentials.

use falconer_auth::{ApiError, NewGrant, Revision};
use falconer_login::{LoginError, Session, fingerprint, identity};
use falconer_scopes::ScopeSet;
use falconer_store::GrantRecord;

use crate::applications::application::Application;
use crate::consent::broad::Expansions;
use crate::consent::offer::{Circumstances, Offer};
use crate::consent::request::GrantRequest;
use crate::consent::selection::{Selection, Ticks};
use crate::error::GrantError;
use crate::grants::Grants;
use crate::records::form::{answered_before, check_nonce, host_is_typed, wrong_name};

/// Longest name of a grant, in characters.
pub const LONGEST_NAME: usize = 60;

/// What came back with the form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// [`Grants::new_nonce`], as the form had it.
    pub nonce: String,
    /// [`Offer::shown`], as the form had it.
    pub shown: String,
    /// [`crate::Line::key`] of each ticked line.
    pub ticked: Vec<String>,
    /// What was written in the place of stars: [`crate::Line::key`] and the text.
    pub narrowed: Vec<(String, String)>,
    /// What the person calls the grant; may be empty.
    pub name: String,
    /// The tick of [`Offer::everything`].
    pub everything: bool,
    /// The tick of [`Offer::broad`].
    pub broad: bool,
    /// The tick of [`Offer::identity_line`].
    pub identity: bool,
    /// One of [`Offer::lifetimes`], in milliseconds.
    pub lifetime_ms: i64,
    /// [`falconer_login::Login::form_time`], as the form had it.
    pub form_time: String,
    /// How long the page was visible when the button was pressed, in milliseconds; `None` where no script told.
    pub visible_ms: Option<i64>,
    /// [`crate::News::shown`], where the form was made to show it.
    pub news: String,
    /// The tick of [`Offer::remember`].
    pub remember: bool,
    /// The host as the person typed it, where it was asked for.
    pub typed_host: Option<String>,
}

/// Access was granted: now or by an earlier press of the same button.
#[derive(Clone, PartialEq, Eq)]
pub struct Granted {
    /// Where to send the browser: holds credentials, so never log it.
    pub location: String,
    /// The grant's id.
    pub id: String,
    /// When it ends, milliseconds since 1970.
    pub expires_ms: i64,
    /// At which it holds.
    pub revision: Revision,
}

impl Grants {
    /// A nonce for one form: 22 characters of `A-Za-z0-9_-`.
    pub fn new_nonce(&self) -> String {
        self.login.draw::<16>()
    }

    /// Whether people are mailed about what they grant, where there is a mail server.
    pub fn mails_about_grants(&self) -> bool {
        self.configured().settings.mail
    }

    /// What the person can grant to this request. Errors: [`GrantError::NotRegistered`], and [`LoginError::SignedOut`] when the account is
    /// not active any more.
    pub async fn offer(&self, session: &Session, request: &GrantRequest) -> Result<Offer, GrantError> {
        let (directory, words) = (self.auth.directory(), self.words());
        let expand = |scopes: &[&str]| directory.expand(scopes);
        self.offer_in(session, request, Expansions::new(&expand, &words)).await
    }

    /// Grants what was chosen, if the page was there long enough to be seen. Pressing twice gives the same answer. The same nonce with other choices makes another
    /// grant and revokes the first. After a revocation the nonce is an error. `once_made` gets the end of a grant that was not there before, in milliseconds since 1970,
    /// also where nobody waits for the answer any more.
    pub async fn grant(
        &self,
        session: &Session,
        request: &GrantRequest,
        choices: &Choices,
        once_made: impl FnOnce(i64) + Send + 'static,
    ) -> Result<Granted, GrantError> {
        check_nonce(&choices.nonce)?;
        let hash = hash_of(request, choices);
        if let Some(earlier) = self.earlier(session, choices, &hash).await? {
            return Ok(self.deliver(session, request, &earlier).await?);
        }
        // Another form than the one that answered gives nothing, and takes nothing back.
        if let Some(gone) = answered_before(request) {
            return Err(gone);
        }
        let directory = self.auth.directory();
        let words = self.words_in(&directory);
        let expand = |scopes: &[&str]| directory.expand(scopes);
        let expansions = Expansions::new(&expand, &words);
        let mut offer = self.offer_in(session, request, expansions).await?;
        // First: the page that is shown once more has this tick too.
        let identity_for = identity_for(&mut offer, choices);
        let selection = select(&mut offer, choices, &expansions)?;
        if let Some(reason) = wrong_name(choices.name.trim()) {
            return Err(GrantError::Correct { offer: Box::new(offer), reason });
        }
        if self.is_too_soon(session, &choices.form_time, choices.visible_ms) {
            return Err(GrantError::TooSoon(Box::new(offer)));
        }
        if offer.needs_host_typed && !host_is_typed(request, choices) {
            return Err(GrantError::HostNotTyped(Box::new(offer)));
        }
        if selection.scopes.is_empty() && identity_for.is_empty() && offer.has_anything() {
            return Err(GrantError::Nothing(Box::new(offer)));
        }
        if choices.visible_ms.is_none() && !offer.needs_host_typed {
            let news = self.news(session, &request.site().origin(), &selection.scopes, &identity_for).await?;
            if let Some(news) = news.filter(|news| news.shown != choices.news) {
                return Err(GrantError::News(Box::new(news)));
            }
        }
        // Last, so that nothing has to be asked again after it.
        let (before, before_ms) = match request.widening() {
            Some(widening) => (self.kept_of(widening, &expansions), widening.grant.created_ms),
            None => self.granted_last(session, &request.site().origin()).await?.map(|last| (last.scopes, last.at_ms)).unwrap_or_default(),
        };
        self.check_fresh(session, &selection.scopes, &before, before_ms)?;
        let remember_ms = offer.remember.as_ref().map(|remember| remember.ms);
        self.forget_before(session, remember_ms, request).await?;
        if let Some(application) = request.application().filter(|application| application.registered_itself_ms().is_some()) {
            self.auth.note_granted_application(application.id()).await?;
        }
        let new = self.new_grant(session, request, choices, &offer, selection, identity_for, hash);
        let new = match request.widening() {
            Some(widening) => widening.beyond(before, new),
            None => new,
        };
        let issued = match self.make(new, directory.scope_registries(), once_made).await {
            Ok(issued) => issued,
            Err(error) => return Err(self.refused(session, request, choices, error).await),
        };
        if let Some(remember_ms) = remember_ms.filter(|_| choices.remember) {
            self.remember_consent(session, remember_ms, request, &issued.grant).await;
        }
        if offer.needs_host_typed {
            let origin = request.site().origin();
            let identity = &session.person.identity;
            let remembered = self.store.remember_origin(identity, &origin, self.now_ms());
            // The grant is made. At worst the host has to be typed again.
            if let Err(error) = remembered.await {
                tracing::warn!(error = %self.store_error(error), "a host that was typed could not be remembered");
            }
        }
        Ok(self.deliver(session, request, &issued.grant).await?)
    }

    /// The offer with what the person has chosen so far; nothing is granted. Errors as [`Grants::offer`], and [`GrantError::Review`] where what
    /// is on offer is not what the page showed.
    pub async fn offer_with(&self, session: &Session, request: &GrantRequest, choices: &Choices) -> Result<Offer, GrantError> {
        let (directory, words) = (self.auth.directory(), self.words());
        let expand = |scopes: &[&str]| directory.expand(scopes);
        let expansions = Expansions::new(&expand, &words);
        let mut offer = self.offer_in(session, request, expansions).await?;
        identity_for(&mut offer, choices);
        match select(&mut offer, choices, &expansions) {
            Ok(_) => Ok(offer),
            // What is wrong is said beside its line.
            Err(GrantError::Correct { offer, .. }) => Ok(*offer),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn offer_in(
        &self,
        session: &Session,
        request: &GrantRequest,
        expansions: Expansions<'_>,
    ) -> Result<Offer, GrantError> {
        let application = request.application();
        let configured = self.configured();
        let name = match application {
            None => configured.registered.name_of(&request.target),
            // What it says of itself is no name that anybody has given it.
            Some(application) => application.is_registered().then(|| application.name()),
        };
        let registered_name = name.map(str::to_owned);
        let max_ttl_ms = configured.settings.max_ttl_ms;
        if configured.settings.registered_only && registered_name.is_none() {
            return Err(GrantError::NotRegistered(request.site().host_and_port()));
        }
        if registered_name.is_none() && self.is_own(&request.target) {
            return Err(GrantError::OwnAddress(request.target.host_and_port()));
        }
        let identity = &session.person.identity;
        let of_person = self.auth.person_scopes(identity);
        let of_person: ScopeSet = of_person.ok_or(LoginError::SignedOut)?;
        let origin = request.site().origin();
        let remembered = self.remembered_origins(session).await?;
        // All that is asked for beyond a grant is new.
        let before = match request.widening() {
            Some(_) => None,
            None => self.granted_last(session, &origin).await?.map(|last| last.scopes),
        };
        Ok(Offer::new(
            request,
            &Circumstances {
                of_person: &of_person,
                expansions,
                is_vouched_for: registered_name.is_some() && !application.is_some_and(Application::is_command_line),
                registered_name,
                remembered: remembered.iter().any(|(known, _)| *known == origin),
                max_ttl_ms: application.map_or(max_ttl_ms, |application| application.settings.max_life_ms.min(max_ttl_ms)),
                agent_ttl_ms: request.is_agent().then_some(configured.settings.agent_ttl_ms),
                before,
                remember_ms: self.remembers_for_ms(request),
            },
        ))
    }

    /// The grant that this very form has made before.
    async fn earlier(&self, session: &Session, choices: &Choices, hash: &str) -> Result<Option<GrantRecord>, GrantError> {
        let mut found = None;
        // The person may have chosen another name between two presses.
        for identity in session.person.identities() {
            let earlier = self.store.grant_by_nonce(&identity, &choices.nonce).await;
            found = found.or(earlier.map_err(|error| self.read_error(error))?);
        }
        let Some(earlier) = found else { return Ok(None) };
        if earlier.revoked_ms.is_some() {
            return Err(GrantError::Revoked);
        }
        if earlier.choices != hash {
            return Ok(None);
        }
        if self.now_ms() >= earlier.expires_ms {
            return Err(GrantError::Ended);
        }
        Ok(Some(earlier))
    }

    #[expect(clippy::too_many_arguments, reason = "each is one part of the grant")]
    pub(crate) fn new_grant(
        &self,
        session: &Session,
        request: &GrantRequest,
        choices: &Choices,
        offer: &Offer,
        selection: Selection,
        identity_for: Vec<String>,
        hash: String,
    ) -> NewGrant {
        let site = request.site();
        NewGrant {
            identity: session.person.identity.clone(),
            signed_in_by: session.identity.clone(),
            host: identity::encode(&site.host_and_port()),
            target: request.target.href().to_owned(),
            target_origin: site.origin(),
            scopes: selection.scopes,
            everything: selection.everything,
            identity_for,
            expires_ms: self.now_ms().saturating_add(choices.lifetime_ms),
            nonce: choices.nonce.clone(),
            choices: hash,
            name: Some(choices.name.trim().to_owned()).filter(|name| !name.is_empty()),
            label: offer.registered_name.clone().unwrap_or_else(|| site.host_and_port()),
            application: request.application().map(|application| application.id().to_owned()),
            purpose: request.purpose.clone(),
            widens: None,
        }
    }

    /// What a refusal of auth means to the person. Where roles or scopes have changed since the offer, the page is shown again.
    async fn refused(&self, session: &Session, request: &GrantRequest, choices: &Choices, error: ApiError) -> GrantError {
        match error {
            ApiError::RequestConflict(_) | ApiError::InsufficientScopes { .. } => match self.earlier(session, choices, "").await {
                Err(error) => error,
                Ok(_) => match self.offer(session, request).await {
                    Ok(offer) => review(offer),
                    Err(error) => error,
                },
            },
            other => other.into(),
        }
    }
}

/// The ticks as a closed set, if the page has shown just that.
fn select(offer: &mut Offer, choices: &Choices, expansions: &Expansions<'_>) -> Result<Selection, GrantError> {
    if !offer.was_shown(&choices.shown, &[]) {
        return Err(review(offer.clone()));
    }
    if choices.lifetime_ms <= 0 {
        return Err(GrantError::BadForm("The form asks for no time.".to_owned()));
    }
    // An administrator may have made the longest life shorter, and of a grant beyond which more is asked for less is left each hour.
    let has_time = offer.lifetimes.iter().any(|l| l.ms == choices.lifetime_ms);
    if has_time {
        offer.default_lifetime_ms = choices.lifetime_ms;
    }
    let ticks = Ticks { keys: &choices.ticked, everything: choices.everything, broad: choices.broad };
    let written = offer.narrow(&choices.narrowed, expansions);
    let selection = Selection::new(offer, &ticks, expansions)
        .ok_or_else(|| GrantError::BadForm("The form asks for something that was not on offer.".to_owned()))?;
    match written {
        Some(_) if !has_time => {
            let reason = "Nothing was granted yet: what you chose for how long is not on offer any more. Choose once more.".to_owned();
            return Err(GrantError::Correct { offer: Box::new(offer.clone()), reason });
        }
        Some(true) => {}
        Some(false) => {
            let reason = "Nothing was granted yet: something that you wrote can't be granted. The line says why.".to_owned();
            return Err(GrantError::Correct { offer: Box::new(offer.clone()), reason });
        }
        None => return Err(GrantError::BadForm("The form narrows something that was not on offer.".to_owned())),
    }
    let was_shown = offer.was_shown(&choices.shown, &selection.taken_away);
    offer.show_cost(&selection.taken_away);
    if !was_shown {
        return Err(GrantError::Review {
            offer: Box::new(offer.clone()),
            reason: "Some of what you ticked includes what you did not tick, so that was taken away too. Look again before you grant.",
        });
    }
    Ok(selection)
}

fn review(offer: Offer) -> GrantError {
    GrantError::Review {
        offer: Box::new(offer),
        reason: "What you may do, or what is said of it, has changed since the page was shown. Look again before you grant.",
    }
}

fn identity_for(offer: &mut Offer, choices: &Choices) -> Vec<String> {
    match &mut offer.identity_line {
        None => Vec::new(),
        Some(line) => {
            line.ticked = choices.identity;
            if choices.identity { line.origins.clone() } else { Vec::new() }
        }
    }
}

/// The same request with the same choices, whenever the button is pressed.
pub(crate) fn hash_of(request: &GrantRequest, choices: &Choices) -> String {
    let mut ticked: Vec<&str> = choices.ticked.iter().map(String::as_str).collect();
    ticked.sort_unstable();
    ticked.dedup();
    let lifetime = choices.lifetime_ms.to_string();
    let (content, _) = choices.shown.split_once('.').unwrap_or((&choices.shown, ""));
    let flag = |on: bool| if on { "1" } else { "0" };
    let fixed = [request.canonical_query(), content, &lifetime, flag(choices.everything), flag(choices.broad), flag(choices.identity)];
    let narrowed = choices.narrowed.iter().map(|(key, text)| (key, text.trim())).filter(|(_, text)| !text.is_empty());
    let narrowed = narrowed.flat_map(|(key, text)| ["narrowed", key.as_str(), text]);
    let name = ["name", choices.name.trim()];
    let remember = choices.remember.then_some("remember");
    fingerprint(
        fixed.into_iter().chain(ticked).chain(narrowed).chain(name.into_iter().filter(|_| !choices.name.trim().is_empty())).chain(remember),
    )
}
