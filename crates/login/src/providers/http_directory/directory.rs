//! Asking one directory.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use url::Url;
use zeroize::Zeroizing;

use super::answer::{all_at, attributes, text_at, texts_at};
use super::error::HttpDirectoryError;
use super::settings::{HttpDirectorySettings, HttpDirectorySettingsError};
use crate::providers::error::{ProviderError, malformed, short};
use crate::providers::http::{AllowedAddresses, ProviderHttp, ProviderRequest};
use crate::providers::provider::{Attributes, Directory, Known};

const WHAT: &str = "directory";
/// Questions that wait for the directory at once; one that hangs holds no more of this node.
const AT_ONCE: usize = 64;
/// An address that nobody has (RFC 2606).
const NOBODY: &str = "nobody@falconer.invalid";

/// One HTTP directory.
pub struct HttpDirectory {
    settings: HttpDirectorySettings,
    http: Arc<dyn ProviderHttp>,
    waiting: Semaphore,
}

impl HttpDirectory {
    /// Checks the settings; asks nobody yet.
    pub fn new(settings: HttpDirectorySettings, http: Arc<dyn ProviderHttp>) -> Result<HttpDirectory, HttpDirectorySettingsError> {
        settings.check()?;
        Ok(HttpDirectory { settings, http, waiting: Semaphore::new(AT_ONCE) })
    }

    /// What it knows of whoever has this address. `None`: it knows nobody like that, or nobody vouches for them where that is required.
    async fn of_email(&self, email: &str) -> Result<Option<Attributes>, ProviderError> {
        let _waiting = self.waiting.try_acquire().map_err(|_| ProviderError::Busy)?;
        let url = self.settings.url_for(email).ok_or_else(|| malformed("address of the directory", &"it is no URL"))?;
        let paths = &self.settings.paths;
        let Some(answer) = self.ask(url.clone()).await? else { return Ok(None) };
        let Some(found) = self.only_profile(&answer)? else { return Ok(None) };
        self.check_address(found, email, paths.details.is_empty())?;
        let Some(details) = text_at(found, &paths.details)? else {
            return if paths.details.is_empty() {
                self.read(found)
            } else {
                Err(malformed("profile", &"it does not say where its details are"))
            };
        };
        let Some(profile) = self.ask(follow(&url, details)?).await? else { return Ok(None) };
        if !profile.is_object() {
            return Err(malformed("profile", &"it is no object"));
        }
        self.check_address(&profile, email, true)?;
        // Both documents speak of one person.
        let names = (text_at(found, &paths.username)?, text_at(&profile, &paths.username)?);
        if matches!(names, (Some(first), Some(second)) if first != second) {
            return Err(ProviderError::OtherPerson);
        }
        self.read(&profile)
    }

    fn read(&self, profile: &Value) -> Result<Option<Attributes>, ProviderError> {
        attributes(profile, &self.settings.paths, self.settings.require_vouched)
    }

    /// The document at this place. `None`: there is none.
    async fn ask(&self, url: Url) -> Result<Option<Value>, ProviderError> {
        let key = self.settings.key.as_ref().map(|(header, key)| (header.clone(), Zeroizing::new(key.expose().to_owned())));
        let sent = self.http.send(ProviderRequest { key, ..ProviderRequest::new(url, AllowedAddresses::Own) }).await;
        let answer = sent.map_err(|error| ProviderError::Http { what: WHAT, error })?;
        match answer.status {
            200 => serde_json::from_slice(&answer.body).map(Some).map_err(|error| malformed("answer of the directory", &error)),
            404 => Ok(None),
            status => Err(ProviderError::Status { what: WHAT, status }),
        }
    }

    /// The one profile of an answer.
    fn only_profile<'v>(&self, answer: &'v Value) -> Result<Option<&'v Value>, ProviderError> {
        let path = &self.settings.paths.profiles;
        if path.is_empty() {
            return if answer.is_object() { Ok(Some(answer)) } else { Err(malformed("answer of the directory", &"it is no object")) };
        }
        let mut list = answer;
        for member in path {
            list = list.get(member).ok_or_else(|| HttpDirectoryError::NoProfiles(path.join(" > ")))?;
        }
        match list.as_array().map(Vec::as_slice) {
            None => Err(HttpDirectoryError::NoProfiles(path.join(" > ")).into()),
            Some([]) => Ok(None),
            Some([one]) if one.is_object() => Ok(Some(one)),
            Some([_]) => Err(malformed("profile", &"it is no object")),
            Some(several) => Err(HttpDirectoryError::Several(several.len()).into()),
        }
    }

    /// The profile is that of the address. Where a second document follows, the first one need not tell it.
    fn check_address(&self, profile: &Value, email: &str, must: bool) -> Result<(), ProviderError> {
        let path = &self.settings.paths.email;
        if path.is_empty() || (!must && all_at(profile, path)?.is_empty()) {
            return Ok(());
        }
        let fits = texts_at(profile, path)?.iter().any(|one| one.eq_ignore_ascii_case(email));
        if fits { Ok(()) } else { Err(ProviderError::OtherPerson) }
    }
}

#[async_trait]
impl Directory for HttpDirectory {
    /// Somebody without a verified address is nobody to it.
    async fn look_up(&self, known: &Known<'_>, _: i64) -> Result<Option<Attributes>, ProviderError> {
        match known.email {
            Some(email) => self.of_email(email).await,
            None => Ok(None),
        }
    }

    /// The document that has the groups: where a second one does, that one.
    fn read_answer(&self, answer: &Map<String, Value>) -> Result<Option<Attributes>, ProviderError> {
        let answer = Value::Object(answer.clone());
        let profile = if self.settings.paths.details.is_empty() { self.only_profile(&answer)? } else { Some(&answer) };
        profile.map_or(Ok(None), |profile| self.read(profile))
    }

    async fn probe(&self, _: i64) -> Result<Vec<(&'static str, String)>, ProviderError> {
        let found = match self.of_email(NOBODY).await? {
            None => "it knows nobody of that address, as it should be",
            Some(_) => "it knows somebody of that address, whom there is not: look at the URL and the paths",
        };
        Ok(vec![("asked for", NOBODY.to_owned()), ("answers", found.to_owned())])
    }
}

/// The second document lies where the directory is: the key goes nowhere else.
fn follow(from: &Url, text: &str) -> Result<Url, ProviderError> {
    let elsewhere = || HttpDirectoryError::Elsewhere(short(text));
    let url = from.join(text).map_err(|_| elsewhere())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if plain && url.origin() == from.origin() { Ok(url) } else { Err(elsewhere().into()) }
}
