//! The parameters of requests of OAuth 2: each at most once, and one without a value is one that is not there (RFC 6749 section 3.1).

use thiserror::Error;

use crate::consent::request::decode_form;
use crate::delivery::redirect::encode_component;

/// Longest value in bytes.
const LONGEST: usize = 16 * 1024;

/// Parameters as they came.
#[derive(Clone, Default)]
pub struct Parameters(Vec<(String, String)>);

/// Why parameters can't be used. All are [`ExchangeError::InvalidRequest`](crate::ExchangeError) where there is a place for it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParameterError {
    /// A broken percent escape, or bytes that are no text.
    #[error("The request is not properly percent-encoded.")]
    Encoding,
    /// A parameter twice.
    #[error("The request has `{0}` more than once.")]
    Repeated(&'static str),
    /// A value that is longer than any can be.
    #[error("The request's `{0}` is longer than 16 KiB.")]
    TooLong(&'static str),
}

impl Parameters {
    /// Reads a query without `?`, or a form.
    pub fn read(text: &str) -> Result<Parameters, ParameterError> {
        let mut all = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (decode_form(name), decode_form(value)) else { return Err(ParameterError::Encoding) };
            all.push((name, value));
        }
        Ok(Parameters(all))
    }

    /// The members of a JSON object, as third parties of the reference send them.
    pub fn of(members: impl IntoIterator<Item = (String, String)>) -> Parameters {
        Parameters(members.into_iter().collect())
    }

    /// The values of a parameter that may be there more than once.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// All but these, as the end of a query, with a `&` in front of each.
    pub(crate) fn without(&self, names: &[&str]) -> String {
        let rest = self.0.iter().filter(|(name, value)| !names.contains(&name.as_str()) && !value.is_empty());
        rest.map(|(name, value)| format!("&{}={}", encode_component(name), encode_component(value))).collect()
    }

    /// Whether a parameter is there with a value, once or more often.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// The value of a parameter, if it has one.
    pub fn one(&self, name: &'static str) -> Result<Option<&str>, ParameterError> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let value = values.next();
        if values.next().is_some() {
            return Err(ParameterError::Repeated(name));
        }
        match value {
            Some(value) if value.len() > LONGEST => Err(ParameterError::TooLong(name)),
            value => Ok(value.filter(|value| !value.is_empty())),
        }
    }
}
