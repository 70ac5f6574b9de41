//! The page that grants access, asked by a program on the person's own machine: a grant to a loopback target of our own, through the browser.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use falconer_client::{Client, Error, Method, Retry};
use falconer_wire::GrantCredentials;

use super::Wish;
use super::loopback::Loopback;
use super::oauth::are_credentials;

/// What the page shows as the reason where nobody gives one.
const REASON: &str = "Credentials for the command line.";

/// Waits for the grant, whose answer is of the shape of credentials.
pub async fn ask(root_url: &str, wish: &Wish<'_>) -> Result<GrantCredentials> {
    let loopback = Loopback::take(wish.port, "accessToken").await?;
    let target = format!("{}?state={}", loopback.address(), loopback.state());
    let mut address = url::Url::parse(root_url).with_context(|| format!("`{root_url}` is no root URL"))?;
    address.set_path("/");
    {
        let mut query = address.query_pairs_mut();
        query
            .append_pair("target", &target)
            .append_pair("description", wish.description.unwrap_or(REASON))
            .append_pair("tell_cancel", "true");
        wish.scopes.iter().for_each(|scope| {
            query.append_pair("scope", scope);
        });
        if let Some(expires) = wish.expires {
            query.append_pair("expires", expires);
        }
    }
    // A form's `+` is a space only where somebody decodes it as a form.
    let address = address.as_str().replace('+', "%20");
    try_page(root_url, &address).await?;
    eprintln!("Open this page to sign in and grant access:\n\n  {address}\n");
    if wish.opens_browser && open::that_detached(&address).is_err() {
        eprintln!("No browser could be opened: copy the address.");
    }
    let mut answer = within(wish.timeout, loopback.answer()).await??;
    if answer.contains_key("error") {
        bail!(CANCELLED);
    }
    let mut value = |name: &str| answer.remove(name).unwrap_or_default();
    let found = GrantCredentials { client_id: value("clientId"), access_token: value("accessToken"), certificate: value("certificate") };
    if !are_credentials(&found) {
        bail!("the answer holds no credentials; what was granted is listed at {root_url}/me/grants");
    }
    Ok(found)
}

/// Asks for the page once, as the browser will: a server that is away, or that refuses this request, would leave everybody waiting.
async fn try_page(root_url: &str, address: &str) -> Result<()> {
    let once = Retry { tries: 1, timeout: Duration::from_secs(20), ..Retry::default() };
    match Client::new(root_url)?.with_retry(once).fetch(&Method::GET, address, None).await {
        // Whoever is not signed in is led to sign-in: the request is one that can be granted.
        Err(Error::Api { status: 300..=399, .. }) => Ok(()),
        Ok(_) | Err(Error::Api { status: 404, .. }) => {
            bail!("{root_url} has no page that grants access: is it the root URL of a Falconer?")
        }
        Err(error @ Error::Api { .. }) => Err(anyhow::Error::from(error).context(format!("{root_url} refuses this request"))),
        Err(error) => Err(error.into()),
    }
}

/// What was pressed there.
pub const CANCELLED: &str = "Cancel was pressed on the page: nothing was granted";

/// Waits for a person's decision, for no longer than `timeout`.
pub async fn within<T>(timeout: Option<Duration>, decision: impl Future<Output = T>) -> Result<T> {
    let Some(timeout) = timeout else { return Ok(decision.await) };
    tokio::time::timeout(timeout, decision).await.map_err(|_| {
        anyhow::anyhow!("nobody pressed Grant within {} seconds; run it again, or give more with --timeout", timeout.as_secs())
    })
}

/// As every server checks it.
pub fn scope(text: &str) -> Result<String, String> {
    match any_scope(text) {
        Ok(scope) if scope.trim() != scope => Err("it begins or ends with a space, which no scope of a service does".to_owned()),
        other => other,
    }
}

/// A scope as the API takes it.
pub fn any_scope(text: &str) -> Result<String, String> {
    if falconer_scopes::is_valid_scope(text) {
        Ok(text.to_owned())
    } else {
        Err("a scope is printable ASCII, such as notes:read:red".to_owned())
    }
}

/// A lifetime that the page understands.
pub fn lifetime(text: &str) -> Result<String, String> {
    match falconer_wire::time_expression::parse_ms(text) {
        Ok(1..) => Ok(text.to_owned()),
        _ => Err("write something like `1 hour` or `3 days`".to_owned()),
    }
}
