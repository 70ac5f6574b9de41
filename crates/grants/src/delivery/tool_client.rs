//! A client for a program on the person's own machine: what the `taskcluster signin` command opens a page for.
//!
//! The program names scopes, a name, how long, and where on this machine the answer goes. The person sees an [`Offer`] made of what they
//! may do themselves, and what they leave unticked does not come back through something else.

use std::collections::HashSet;

use falconer_auth::{ApiError, Authentication, ClientInput, ScopeRegistries, Secret};
use falconer_scopes::{ScopeSet, is_valid_scope};
use falconer_wire::{pattern, time_expression};
use thiserror::Error;

use crate::consent::broad::Expansions;
use crate::consent::lifetime;
use crate::consent::offer::Offer;
use crate::consent::selection::{Selection, Ticks};
use crate::delivery::redirect::encode_component;
use crate::grants::Grants;
use crate::targets::target::{Target, carried};
use falconer_login::LoginError;
use falconer_login::Session;

/// As the protocol limits it, in characters.
const LONGEST_DESCRIPTION: usize = 10_240;
/// In bytes. A page's address is no longer either, so that no link and no page of ours makes a longer one.
const LONGEST_QUERY: usize = 16 * 1024;
/// How much of what is wrong is said again, in characters.
const LONGEST_ECHO: usize = 100;
/// No client needs to live longer, and no date has more than four digits for its year.
const LONGEST_MS: i64 = 1000 * 365 * falconer_auth::DAY_MS;
/// How long the client may live when the program does not say, as the protocol has it. A year is chosen beforehand.
const WITHOUT_WISH: &str = "1000 years";

/// What a program asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolRequest {
    /// The proposed last part of the clientId.
    pub name: String,
    /// As asked for; empty: all that the person may do.
    pub scopes: Vec<String>,
    /// From now to the end of the client at the latest, in milliseconds.
    pub lifetime_ms: i64,
    /// Whether the program said so.
    pub lifetime_was_wished: bool,
    /// The proposed description.
    pub description: String,
    /// Where the answer goes; without one it is shown.
    pub callback: Option<Callback>,
    query: String,
}

/// Why a program's request can't be answered. Each is a sentence for the person.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ToolRequestError {
    /// No address is as long.
    #[error("The request is longer than {LONGEST_QUERY} bytes: ask for fewer scopes, or describe it in fewer words.")]
    TooLong,
    /// The answer would go to another machine.
    #[error("Callback URL {0} is not allowed.")]
    Callback(String),
    /// Not printable ASCII.
    #[error("`{0}` is not a scope.")]
    Scope(String),
    /// No time expression, or one that does not lie ahead.
    #[error("`{0}` is not a time ahead, such as `1d` or `3 hours`.")]
    Expires(String),
    /// Longer than the protocol allows.
    #[error("The description is longer than {LONGEST_DESCRIPTION} characters.")]
    Description,
}

impl ToolRequest {
    /// From the query of the page's address, without `?`.
    pub fn parse(query: &str) -> Result<ToolRequest, ToolRequestError> {
        // Forms are read before it is known who sends them, and may be longer.
        if query.len() > LONGEST_QUERY {
            return Err(ToolRequestError::TooLong);
        }
        let mut request = ToolRequest {
            name: String::new(),
            scopes: Vec::new(),
            lifetime_ms: 0,
            lifetime_was_wished: false,
            description: String::new(),
            callback: None,
            query: query.to_owned(),
        };
        let (mut expires, mut seen) = (None, HashSet::new());
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let value = value.into_owned();
            match key.as_ref() {
                "name" => request.name = value,
                "description" => request.description = value,
                "callback_url" if !value.is_empty() => request.callback = Some(Callback::parse(&value)?),
                "expires" if !value.trim().is_empty() => expires = Some(value),
                "scope" if !is_valid_scope(&value) => return Err(ToolRequestError::Scope(echo(&value))),
                "scope" if !value.is_empty() && seen.insert(value.clone()) => request.scopes.push(value),
                _ => (),
            }
        }
        if request.scopes.iter().any(|scope| scope == "*") {
            request.scopes.clear();
        }
        if request.description.chars().count() > LONGEST_DESCRIPTION {
            return Err(ToolRequestError::Description);
        }
        request.lifetime_was_wished = expires.is_some();
        let expires = expires.unwrap_or_else(|| WITHOUT_WISH.to_owned());
        match time_expression::parse_ms(&expires) {
            Ok(ms) if ms > 0 => request.lifetime_ms = ms.min(LONGEST_MS),
            _ => return Err(ToolRequestError::Expires(echo(&expires))),
        }
        Ok(request)
    }

    /// The query that it came from: the form carries it along.
    pub fn query(&self) -> &str {
        &self.query
    }
}

fn echo(text: &str) -> String {
    text.chars().take(LONGEST_ECHO).collect()
}

/// An address on the person's own machine: `^https?://localhost(:[0-9]+)?(/|$)`, with a port that there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback(String);

impl Callback {
    /// Anything else is refused, so that the credentials go nowhere else.
    pub fn parse(text: &str) -> Result<Callback, ToolRequestError> {
        let refused = || ToolRequestError::Callback(echo(text));
        let scheme = ["http://", "https://"].into_iter().find_map(|scheme| text.strip_prefix(scheme));
        let rest = scheme.and_then(|rest| rest.strip_prefix("localhost")).ok_or_else(refused)?;
        let (port, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let port_is_one = match port.strip_prefix(':') {
            Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok_and(|port| port > 0),
            None => port.is_empty(),
        };
        // A program that reads the first of two would take somebody else's.
        let is_answered = carried(path.split(['?', '#']).skip(1)).is_some();
        // What no header can carry would go nowhere.
        if !port_is_one || is_answered || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refused());
        }
        Ok(Callback(text.to_owned()))
    }

    /// As given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Scheme, host and port, for people to read.
    pub fn origin(&self) -> &str {
        let after_scheme = self.0.find("://").map_or(0, |at| at + 3);
        let end = self.0.get(after_scheme..).and_then(|rest| rest.find('/')).map_or(self.0.len(), |at| after_scheme + at);
        self.0.get(..end).unwrap_or_default()
    }

    /// The address with the credentials in its query.
    fn deliver(&self, client_id: &str, access_token: &str) -> String {
        let (address, fragment) = self.0.find('#').map_or((self.0.as_str(), ""), |at| self.0.split_at(at));
        let separator = if !address.contains('?') {
            "?"
        } else if address.ends_with(['?', '&']) {
            ""
        } else {
            "&"
        };
        let (client_id, access_token) = (encode_component(client_id), encode_component(access_token));
        format!("{address}{separator}clientId={client_id}&accessToken={access_token}{fragment}")
    }
}

/// What the person chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolChoices {
    /// The last part of the clientId, after `<identity>/`.
    pub name: String,
    /// [`Offer::shown`] of the page that they saw.
    pub shown: String,
    /// Keys of lines.
    pub ticked: Vec<String>,
    /// The tick of [`Offer::everything`].
    pub everything: bool,
    /// The tick of [`Offer::broad`].
    pub broad: bool,
    /// One of [`Offer::lifetimes`].
    pub lifetime_ms: i64,
    /// When the page was first shown, in milliseconds since 1970: the client's life is counted from there, so that the same form means the
    /// same client however often it is sent.
    pub asked_at_ms: i64,
    /// What the client is for.
    pub description: String,
    /// [`falconer_login::Login::form_time`], as the form had it.
    pub form_time: String,
    /// As [`crate::Choices::visible_ms`].
    pub visible_ms: Option<i64>,
}

/// A client that there is now.
pub struct ToolClient {
    /// `<identity>/<name>`
    pub client_id: String,
    /// Shown once.
    pub access_token: Secret,
    /// The end, milliseconds since 1970.
    pub expires_ms: i64,
    /// Where the answer goes, with the credentials in it.
    pub location: Option<String>,
}

/// Why no client was made. Each but the last holds the offer to show again, with the person's ticks.
#[derive(Debug, Error)]
pub enum ToolError {
    /// What would be given is not what the page showed, or the page was not there long enough to be seen.
    #[error("{reason}")]
    Review {
        /// With what was taken away.
        offer: Box<Offer>,
        /// For the person.
        reason: &'static str,
    },
    /// What was entered can't be.
    #[error("{reason}")]
    Invalid {
        /// As it was.
        offer: Box<Offer>,
        /// What to do instead.
        reason: String,
    },
    /// The page was open for so long that the client would have ended already: count from now.
    #[error("{reason}")]
    TooOld {
        /// As it was.
        offer: Box<Offer>,
        /// What to do.
        reason: &'static str,
    },
    /// The person may not create this client, or the name is taken.
    #[error("{error}")]
    Refused {
        /// As it was.
        offer: Box<Offer>,
        /// What the use case says.
        error: ApiError,
    },
    /// Everything else.
    #[error("{0}")]
    Login(#[from] LoginError),
}

impl Grants {
    /// What the person may give to a program that asks for this.
    pub fn tool_offer(&self, session: &Session, request: &ToolRequest) -> Result<Offer, LoginError> {
        let (directory, words) = (self.auth.directory(), self.words());
        let expand = move |scopes: &[&str]| directory.expand(scopes);
        self.tool_offer_in(session, request, &Expansions::new(&expand, &words))
    }

    fn tool_offer_in(&self, session: &Session, request: &ToolRequest, expansions: &Expansions<'_>) -> Result<Offer, LoginError> {
        if request.callback.as_ref().and_then(|callback| Target::parse(callback.origin()).ok()).is_some_and(|target| self.is_own(&target)) {
            let text = "The program waits for its credentials at an address of Falconer itself, where nobody takes them. Start it again with a port of its own.";
            return Err(LoginError::Invalid(text.to_owned()));
        }
        let of_person = self.auth.person_scopes(&session.person.identity).ok_or(LoginError::SignedOut)?;
        Ok(Offer::for_tool(&request.scopes, &of_person, expansions, lifetime::down_from(request.lifetime_ms, request.lifetime_was_wished)))
    }

    /// Makes the client, as the person. The same choices again within 15 minutes give the same client.
    pub async fn create_tool_client(
        &self,
        session: &Session,
        request: &ToolRequest,
        choices: &ToolChoices,
    ) -> Result<ToolClient, ToolError> {
        let (offer, scopes, words) = self.chosen(session, request, choices)?;
        if self.is_too_soon(session, &choices.form_time, choices.visible_ms) {
            return Err(ToolError::Review { offer, reason: falconer_login::TOO_SOON });
        }
        let client_id = format!("{}/{}", session.person.identity, choices.name);
        let expires_ms = choices.asked_at_ms.saturating_add(choices.lifetime_ms);
        if let Some(reason) = wrong(choices, &client_id) {
            return Err(ToolError::Invalid { offer, reason });
        }
        // Only a form that somebody wrote by hand comes from the future.
        let now_ms = self.now_ms();
        if choices.asked_at_ms > now_ms || expires_ms <= now_ms {
            return Err(ToolError::TooOld { offer, reason: "Nothing was created: the page was open for too long. Press once more." });
        }
        self.check_fresh(session, &ScopeSet::new(&scopes), &ScopeSet::default(), 0)?;
        let input = ClientInput {
            expires_us: expires_ms.saturating_mul(1000),
            description: choices.description.clone(),
            scopes: Some(scopes),
            delete_on_expiration: true,
        };
        let person = Authentication::person(&session.identity);
        let created = self.auth.create_read_client(&person, &client_id, &input, &words).await;
        let (view, _) = created.map_err(|error| ToolError::Refused { offer, error })?;
        let access_token = view.access_token.ok_or_else(|| LoginError::Internal("a new client without a token".to_owned()))?;
        let location = request.callback.as_ref().map(|callback| callback.deliver(&client_id, access_token.expose()));
        Ok(ToolClient { client_id, access_token, expires_ms, location })
    }

    /// What the ticks come to, and in which words of services it was read; or the page again.
    fn chosen(
        &self,
        session: &Session,
        request: &ToolRequest,
        choices: &ToolChoices,
    ) -> Result<(Box<Offer>, Vec<String>, ScopeRegistries), ToolError> {
        let directory = self.auth.directory();
        let (words, registries) = (self.words_in(&directory), directory.scope_registries().clone());
        let expand = move |scopes: &[&str]| directory.expand(scopes);
        let expansions = Expansions::new(&expand, &words);
        let mut offer = Box::new(self.tool_offer_in(session, request, &expansions)?);
        if !offer.was_shown(&choices.shown, &[]) {
            let reason =
                "Nothing was created yet: what you may do, or what is said of it, has changed since the page was shown. Look again.";
            return Err(ToolError::Review { offer, reason });
        }
        if offer.lifetimes.iter().any(|lifetime| lifetime.ms == choices.lifetime_ms) {
            offer.default_lifetime_ms = choices.lifetime_ms;
        } else {
            let reason = "Choose how long the client may live.".to_owned();
            return Err(ToolError::Invalid { offer, reason });
        }
        let ticks = Ticks { keys: &choices.ticked, everything: choices.everything, broad: choices.broad };
        let Some(selection) = Selection::new(&mut offer, &ticks, &expansions) else {
            let reason = "The form asks for something that was not on offer.".to_owned();
            return Err(ToolError::Invalid { offer, reason });
        };
        let was_shown = offer.was_shown(&choices.shown, &selection.taken_away);
        offer.show_cost(&selection.taken_away);
        if !was_shown {
            let reason = "Nothing was created yet: something had to be taken away, or what you did not tick would come back. Look again.";
            return Err(ToolError::Review { offer, reason });
        }
        if selection.scopes.is_empty() && offer.has_anything() {
            let reason = "Tick at least one thing: with nothing, the program could do nothing.".to_owned();
            return Err(ToolError::Invalid { offer, reason });
        }
        Ok((offer, selection.scopes.to_vec(), registries))
    }
}

fn wrong(choices: &ToolChoices, client_id: &str) -> Option<String> {
    if choices.name.is_empty() || !(pattern::CLIENT_ID.matches)(client_id) {
        return Some("The name needs at least one character, and may hold letters, digits and `!@/:.+|_-`.".to_owned());
    }
    if choices.description.chars().count() > LONGEST_DESCRIPTION {
        return Some(format!("The description may have at most {LONGEST_DESCRIPTION} characters."));
    }
    None
}

#[cfg(test)]
mod tests;
