//! Getting there.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::{Address, Protection};
use super::servers::Watch;
use super::talk::Connection;
use crate::providers::ldap::error::LdapError;
use crate::tls::{TlsFault, TlsProblem};

/// Both ways of a connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for S {}

impl Connection {
    /// A connection on which nobody has said who they are.
    pub(super) async fn open(address: &Address, tls: &Arc<rustls::ClientConfig>, watch: Watch) -> Result<Connection, LdapError> {
        let unreachable = |error: std::io::Error| LdapError::Unreachable(error.to_string());
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        match address.protection {
            Protection::Plain => Ok(Connection::new(Box::new(stream), watch)),
            Protection::Ldaps => Ok(Connection::new(protect(Box::new(stream), address, tls).await?, watch)),
            Protection::StartTls => {
                let mut plain = Connection::new(Box::new(stream), watch);
                plain.start_tls().await?;
                let (stream, watch) = plain.into_parts()?;
                Ok(Connection::new(protect(stream, address, tls).await?, watch))
            }
        }
    }
}

async fn protect(stream: Box<dyn Stream>, address: &Address, tls: &Arc<rustls::ClientConfig>) -> Result<Box<dyn Stream>, LdapError> {
    let name = ServerName::try_from(address.host.clone()).map_err(|error| {
        let problem = TlsProblem { fault: TlsFault::OtherName, text: error.to_string() };
        LdapError::Tls(problem)
    })?;
    let connected = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
    match connected {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(TlsProblem::of(&error).map_or(LdapError::Closed, LdapError::Tls)),
    }
}
