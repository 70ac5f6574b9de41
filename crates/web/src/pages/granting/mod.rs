//! Where people pass on what they may do: to a site, to a registered application, or to a program on their machine.

pub(crate) mod grant;
pub(crate) mod lines;
pub(crate) mod tool_client;

use axum::response::Response;
use falconer_grants::{Application, Delivery, GRANT_REQUEST_PAGE, GrantRequest, OpenIdRequest, encode_component, place, request};

use crate::pages::oauth::authorize;
use crate::pages::sign_in::reauthentication::KeptForm;
use crate::pages::visit::{Visit, go};

/// Where the page of a request is, and where its buttons lead.
pub(crate) struct Places {
    pub page: &'static str,
    pub form: KeptForm,
    pub cancel: &'static str,
}

impl Places {
    pub(crate) const OF_SITES: Places = Places { page: "/", form: KeptForm::SiteGrant, cancel: "/grant/cancel" };
    const OF_APPLICATIONS: Places =
        Places { page: "/login/oauth/authorize", form: KeptForm::ApplicationGrant, cancel: "/login/oauth/authorize/decision" };

    const OF_DEVICES: Places = Places { page: "/device", form: KeptForm::DeviceGrant, cancel: "/device/decision" };

    const OF_REQUESTS_FOR_MORE: Places = Places { page: GRANT_REQUEST_PAGE, form: KeptForm::GrantRequest, cancel: GRANT_REQUEST_PAGE };

    pub(crate) fn of(request: &GrantRequest) -> Places {
        match request.delivery {
            Delivery::Credentials { .. } => Places::OF_SITES,
            Delivery::OAuth(_) => Places::OF_APPLICATIONS,
            Delivery::Device(_) => Places::OF_DEVICES,
            Delivery::Widening(_) => Places::OF_REQUESTS_FOR_MORE,
        }
    }
}

/// Sign-in, and back to the same request.
pub(crate) fn sign_in_first(request: &GrantRequest) -> Response {
    let query = request.canonical_query();
    match request.delivery {
        Delivery::Credentials { .. } => go(&format!("/login?{query}")),
        Delivery::OAuth(_) | Delivery::Device(_) | Delivery::Widening(_) => {
            go(&format!("/login?next={}", encode_component(&format!("{}?{query}", Places::of(request).page))))
        }
    }
}

/// The request of a page of ours, or of the form of one: `place` is the path of either.
pub(crate) fn request_at(visit: &Visit, place: &str, query: &str) -> Option<GrantRequest> {
    if place == Places::OF_SITES.page || place == Places::OF_SITES.form.path() {
        request::parse(query, visit.web.clock.now_ms()).ok().flatten()
    } else if place == Places::OF_APPLICATIONS.page || place == Places::OF_APPLICATIONS.form.path() {
        authorize::authorization(visit, query).ok()
    } else {
        None
    }
}

/// The host of whoever asks, where a path of ours leads to the page of its request: what a person signs in for.
pub(crate) fn continue_to(visit: &Visit, next: &str) -> Option<String> {
    let (place, query) = next.split_once('?')?;
    Some(request_at(visit, place, query)?.site().host_and_port())
}

/// Who asks, in a word: the host, or the application on a device, which has none.
fn whole_place(grant_request: &GrantRequest) -> String {
    let target = grant_request.site();
    match target.scheme() {
        "device" => place(&target.origin(), grant_request.application().map(Application::name)),
        _ => target.host_and_port(),
    }
}

/// Whether the names of the person's groups are told too.
fn asks_for_groups(grant_request: &GrantRequest) -> bool {
    grant_request.openid().is_some_and(OpenIdRequest::asks_for_groups)
}
