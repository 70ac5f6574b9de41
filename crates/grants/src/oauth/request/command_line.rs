//! What Falconer's own command says beside: what its machine is called, and what it wants. All others are known by their registration.

use falconer_auth::is_unseen;

use crate::applications::application::Application;
use crate::consent::request::LONGEST_DESCRIPTION;
use crate::oauth::request::parameters::Parameters;
use crate::oauth::request::refusal::Fault;
use crate::records::grant::LONGEST_NAME;

/// What the machine is called: the name that is proposed for the grant.
pub(crate) fn device_name(parameters: &Parameters, application: &Application) -> Result<Option<String>, Fault> {
    let Some(name) = parameters.one("device_name")?.filter(|name| application.is_command_line() && !name.is_empty()) else {
        return Ok(None);
    };
    if name.chars().count() > LONGEST_NAME || name.chars().any(is_unseen) {
        return Err(Fault::InvalidRequest(format!(
            "The device_name is longer than {LONGEST_NAME} characters, or holds some that nobody sees."
        )));
    }
    Ok(Some(name.to_owned()))
}

/// What the page shows as the reason.
pub(crate) fn description(parameters: &Parameters, application: &Application) -> Result<String, Fault> {
    let description = parameters.one("description")?.filter(|_| application.is_command_line()).unwrap_or_default();
    if description.len() > LONGEST_DESCRIPTION {
        return Err(Fault::InvalidRequest("The description is more than 2 KiB.".to_owned()));
    }
    Ok(description.to_owned())
}
