use falconer_client::Value;

use crate::attacks::{Attack, AttackKind};
use crate::callers::Caller;
use crate::case::{Case, Skip, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "widened-scopes",
    sends: "more scopes than the credentials have: in `ext.authorizedScopes`, and written into a certificate after it was signed",
    finding: "The service takes the scopes that a caller claims.",
    advice: "Use the answer of Falconer's check, not what stands in `ext`.",
    page: "backend.md#the-rules",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    case.allowed()?;
    let poor = case.callers.others.iter().find_map(|other| other.caller.as_ref().ok()).ok_or_else(|| {
        let why = case.callers.others.iter().find_map(|other| other.caller.as_ref().err());
        Skip::Untried(why.cloned().unwrap_or_else(|| "there is no caller without the scope".to_owned()))
    })?;
    let claimed = if poor.authorized.is_some() {
        Err("the credentials in the environment are temporary, so that asking for all of their scopes is no attack".to_owned())
    } else {
        Ok(Caller { authorized: Some(case.callers.scopes.clone()), ..poor.clone() })
    };
    Ok(vec![
        case.by("with authorizedScopes that the credentials do not have", &claimed),
        case.by("with scopes written into the certificate", &rewritten(poor, &case.callers.scopes)),
    ])
}

fn rewritten(poor: &Caller, scopes: &[String]) -> Result<Caller, String> {
    let mut certificate: Value =
        serde_json::from_str(poor.certificate.as_deref().unwrap_or_default()).map_err(|error| error.to_string())?;
    let fields = certificate.as_object_mut().ok_or("the certificate is no object")?;
    fields.insert("scopes".to_owned(), scopes.to_vec().into());
    Ok(Caller { certificate: Some(certificate.to_string()), authorized: None, ..poor.clone() })
}
