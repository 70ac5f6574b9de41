//! Credentials for other systems, as far as Falconer makes them itself.

use serde::{Deserialize, Serialize};

/// Output of websocktunnelToken.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebsocktunnelToken {
    /// The tunnel client.
    pub wst_client: String,
    /// The tunnel.
    pub wst_audience: String,
    /// A JWT. Whoever has it may open the tunnel.
    pub token: String,
    /// When it ends.
    pub expires: String,
}
