//! The pages: one file each, everything without JavaScript.
//!
//! A handler takes a [`visit::Visit`] or, for a form, a [`visit::Posted`], and gives a page, a redirect to another one, or a
//! [`crate::http::problem::Problem`], which the edge turns into a page or JSON.

mod applications;
pub mod assets;
mod browser;
mod console;
mod device;
mod form_page;
pub(crate) mod granting;
mod grants;
mod home;
mod identities;
mod me;
mod oauth;
mod openid;
mod people;
mod refusal;
pub(crate) mod sign_in;
mod visit;
mod widening;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use self::console::{confirm, edit, history, records, refusals, registries, scopes};
use self::granting::{grant, tool_client};
use self::oauth::{authorize, cors, endpoints, introspect, metadata, pushed, register};
use self::sign_in::{directory, email_code, forgotten, login, other_ways, passkeys, password, provider, reauthentication, setup};
use crate::Web;
use crate::http::problem::Problem;

/// Routes of people; what none of them is, is a page that says so.
pub(crate) fn router(web: Arc<Web>) -> Router {
    Router::new()
        .route("/", get(home::show))
        .route("/.well-known/oauth-authorization-server", get(metadata::show))
        .route("/.well-known/openid-configuration", get(openid::endpoints::discovery))
        .route("/auth/applications", get(applications::list::show))
        .route("/auth/applications/add", get(applications::edit::add))
        .route("/auth/applications/confirm", get(applications::confirm::show).post(applications::confirm::act))
        .route("/auth/applications/edit", get(applications::edit::edit).post(applications::edit::post))
        .route("/auth/applications/tokens", get(applications::initial_tokens::show).post(applications::initial_tokens::create))
        .route("/auth/audit", get(history::show))
        .route("/auth/clients", get(records::clients))
        .route("/auth/clients/add", get(edit::add_client))
        .route("/auth/clients/confirm", get(confirm::client).post(confirm::act_on_client))
        .route("/auth/clients/create", get(tool_client::show).post(tool_client::create))
        .route("/auth/clients/edit", get(edit::client).post(edit::post_client))
        .route("/auth/clients/new", get(tool_client::show))
        .route("/auth/explain", get(refusals::show))
        .route("/auth/grants", get(grants::everybody))
        .route("/auth/identities", get(identities::show))
        .route("/auth/people", get(people::list::show))
        .route("/auth/people/add", get(people::edit::add).post(people::edit::invite))
        .route("/auth/people/confirm", get(people::confirm::show).post(people::confirm::act))
        .route("/auth/people/edit", get(people::edit::show).post(people::edit::post))
        .route("/auth/people/map", get(people::map::show).post(people::map::map))
        .route("/auth/roles", get(records::roles))
        .route("/auth/roles/add", get(edit::add_role))
        .route("/auth/roles/confirm", get(confirm::role).post(confirm::delete_role))
        .route("/auth/roles/edit", get(edit::role).post(edit::post_role))
        .route("/auth/scope-registries", get(registries::show))
        .route("/auth/scope-registries/confirm", get(registries::ask).post(registries::delete))
        .route("/auth/scopes", get(scopes::show))
        .route("/device", get(device::page::show).post(device::page::enter))
        .route("/device/decision", post(device::page::decide))
        .route("/device/done", get(device::page::done))
        .route("/grant", post(grant::grant))
        .route("/grant/cancel", post(grant::cancel))
        .route("/login", get(login::show).post(login::sign_in))
        .route("/login/forgotten", get(forgotten::show).post(forgotten::send))
        .route("/login/oauth/authorize", get(authorize::show).post(authorize::by_form))
        .route("/login/oauth/authorize/decision", post(authorize::decision))
        .route("/login/oauth/credentials", get(endpoints::credentials).options(endpoints::preflight))
        .route("/login/oauth/device_authorization", post(device::endpoint::authorize).options(endpoints::preflight))
        .route("/login/oauth/grant_request", post(widening::endpoint::request).options(endpoints::preflight))
        .route("/login/oauth/introspect", post(introspect::introspect).options(endpoints::preflight))
        .route("/login/oauth/jwks", get(openid::endpoints::keys))
        .route("/login/oauth/logout", get(openid::logout::show).post(openid::logout::by_form))
        .route("/login/oauth/logout/decision", post(openid::logout::decision))
        .route("/login/oauth/par", post(pushed::push).options(endpoints::preflight))
        .route("/login/oauth/register", post(register::register).options(cors::preflight_of_any))
        .route(
            "/login/oauth/register/{client}",
            get(register::manage).put(register::manage).delete(register::manage).options(cors::preflight_of_any),
        )
        .route("/login/oauth/revoke", post(endpoints::revoke).options(endpoints::preflight))
        .route("/login/oauth/token", post(endpoints::token).options(endpoints::preflight))
        .route("/login/oauth/userinfo", get(openid::endpoints::user_info).post(openid::endpoints::user_info).options(endpoints::preflight))
        .route("/login/passkey", post(other_ways::sign_in_passkey))
        .route("/login/recovery", get(other_ways::show_recovery).post(other_ways::sign_in_recovery))
        .route("/login/{provider}", get(provider::leave).post(directory::sign_in))
        .route("/login/{provider}/address", post(email_code::send))
        .route("/login/{provider}/callback", get(provider::back))
        .route("/login/{provider}/code", get(email_code::show_code).post(email_code::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/setup", get(setup::show).post(setup::complete))
        .route("/me/again", get(reauthentication::show).post(reauthentication::sign_in))
        .route("/me/forget", post(me::forget))
        .route("/me/grants", get(grants::mine))
        .route("/me/grants/request", get(widening::page::show).post(widening::page::decide))
        .route("/me/grants/revoke", post(grants::revoke))
        .route("/me/link", get(identities::show_link).post(identities::begin_link))
        .route("/me/link/cancel", post(identities::cancel_link))
        .route("/me/link/confirm", post(identities::confirm_link))
        .route("/me/name", post(identities::choose_name))
        .route("/me/passkeys", get(passkeys::show).post(passkeys::add))
        .route("/me/passkeys/remove", post(passkeys::remove))
        .route("/me/passkeys/rename", post(passkeys::rename))
        .route("/me/password", get(password::show).post(password::change))
        .route("/me/recovery-codes", post(passkeys::make_codes))
        .route("/me/revoke", post(me::revoke))
        .route("/me/sessions", post(me::end_session))
        .route("/me/signout-everywhere", post(me::sign_out_everywhere))
        .route("/me/unlink", get(identities::show_unlink).post(identities::unlink))
        .route("/password-link", get(people::password_link::show).post(people::password_link::set))
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .with_state(web)
}
