//! One caller: a certificate, a connection, a request and the whole of its answer.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Calls one port with one certificate.
pub(crate) struct Caller {
    port: u16,
    connector: TlsConnector,
    name: ServerName<'static>,
    request: Arc<[u8]>,
}

/// A connection.
pub(crate) struct Call {
    stream: TlsStream<TcpStream>,
    request: Arc<[u8]>,
    buffer: Vec<u8>,
}

/// The largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 64 * 1024;

impl Caller {
    pub(crate) fn new(port: u16, folder: &Path, path: &str) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_file_iter(folder.join("bundle.pem"))? {
            roots.add(root?)?;
        }
        let chain = CertificateDer::pem_file_iter(folder.join("load.pem"))?;
        let key = PrivateKeyDer::from_pem_file(folder.join("load.key"))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain.collect::<Result<_, _>>()?, key)?;
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Ok(Self {
            port,
            connector: TlsConnector::from(Arc::new(config)),
            name: ServerName::try_from("localhost")?,
            request: request.into_bytes().into(),
        })
    }

    /// A new connection, by a full handshake.
    pub(crate) async fn call(&self) -> Result<Call> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        stream.set_nodelay(true)?;
        let stream = self.connector.connect(self.name.clone(), stream).await?;
        Ok(Call { stream, request: Arc::clone(&self.request), buffer: Vec::new() })
    }
}

impl Call {
    /// Sends the request and reads its answer to the end.
    pub(crate) async fn ask(&mut self) -> Result<()> {
        self.stream.write_all(&self.request).await?;
        self.buffer.clear();
        while !is_whole(&self.buffer)? {
            if self.buffer.len() > LARGEST_ANSWER {
                bail!("the answer is too long");
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the connection was closed before its answer was whole");
            }
        }
        if !self.buffer.starts_with(b"HTTP/1.1 200") {
            bail!("the answer is no success");
        }
        Ok(())
    }

    /// Ends it as TLS wants it ended.
    pub(crate) async fn end(mut self) -> Result<()> {
        Ok(self.stream.shutdown().await?)
    }

    /// What both sides agreed on.
    pub(crate) fn agreed(&self) -> String {
        let session = self.stream.get_ref().1;
        let group = session.negotiated_key_exchange_group().map(|group| group.name());
        let suite = session.negotiated_cipher_suite().map(|suite| suite.suite());
        format!("group {group:?} suite {suite:?}").replace("Some(", "").replace(')', "")
    }
}

/// Whether this is a head with a length, and so many bytes.
fn is_whole(answer: &[u8]) -> Result<bool> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(false);
    };
    let head = std::str::from_utf8(&answer[..end])?;
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let (_, length) = length.context("the answer has no length")?;
    Ok(answer.len() >= end + 4 + length.trim().parse::<usize>()?)
}
