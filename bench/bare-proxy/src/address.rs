//! Where an upstream is, and how a connection to it is made.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Error, Result};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, UnixStream};

use crate::tune;

/// An address of an upstream.
#[derive(Clone)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Address {
    /// Connects; a task of its own drives the connection.
    pub(crate) async fn connect(&self) -> Result<SendRequest<Incoming>> {
        match self {
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                tune(&stream)?;
                let (sender, connection) = handshake(TokioIo::new(stream)).await?;
                tokio::spawn(connection);
                Ok(sender)
            }
            Self::Unix(path) => {
                let stream = UnixStream::connect(path).await?;
                let (sender, connection) = handshake(TokioIo::new(stream)).await?;
                tokio::spawn(connection);
                Ok(sender)
            }
        }
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        match word.strip_prefix("unix:") {
            Some(path) => Ok(Self::Unix(path.into())),
            None => Ok(Self::Tcp(word.parse().with_context(|| format!("{word} is no address"))?)),
        }
    }
}
