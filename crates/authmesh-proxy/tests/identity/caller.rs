//! A caller that shows any certificate, believes any server, and speaks HTTP/1.1 over TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use authmesh::identity::certificates_from_pem;
use authmesh_testkit::certificates::Issued;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error, HandshakeKind, NamedGroup, SignatureScheme,
    SupportedProtocolVersion,
};

pub(crate) struct Caller(Arc<ClientConfig>);

pub(crate) struct Call {
    stream: TlsStream<TcpStream>,
}

impl Caller {
    /// Shows this certificate, or none.
    pub(crate) fn showing(issued: Option<&Issued>) -> Self {
        Self::speaking(&[&TLS13, &TLS12], issued)
    }

    /// The same in these versions of TLS only.
    pub(crate) fn speaking(
        versions: &[&'static SupportedProtocolVersion],
        issued: Option<&Issued>,
    ) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody(provider)));
        Self(Arc::new(match issued {
            None => builder.with_no_client_auth(),
            Some(issued) => {
                let chain = certificates_from_pem(issued.cert.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        }))
    }

    pub(crate) async fn call(&self, address: SocketAddr) -> io::Result<Call> {
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::IpAddress(address.ip().into());
        let stream = TlsConnector::from(Arc::clone(&self.0)).connect(name, stream).await?;
        Ok(Call { stream })
    }

    /// One request on a connection of its own: the body of the answer.
    pub(crate) async fn ask(&self, address: SocketAddr, fields: &str) -> io::Result<String> {
        self.call(address).await?.ask(fields).await
    }
}

impl Call {
    /// The body of the answer to one request; the connection stays.
    pub(crate) async fn ask(&mut self, fields: &str) -> io::Result<String> {
        let request = format!("GET /who HTTP/1.1\r\nhost: login\r\n{fields}\r\n");
        Ok(self.exchange(&request).await?.1)
    }

    /// Sends a request with a JSON body, or none: head and body of the answer.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        json: &str,
    ) -> io::Result<(String, String)> {
        let length = json.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: registry\r\ncontent-length: {length}");
        self.exchange(&format!("{head}\r\n\r\n{json}")).await
    }

    async fn exchange(&mut self, request: &str) -> io::Result<(String, String)> {
        self.stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await?);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap();
        let length = length.split("\r\n").next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok((head, String::from_utf8(body).unwrap().to_lowercase()))
    }

    /// Waits until the other side has closed.
    pub(crate) async fn closed(&mut self) {
        let mut rest = Vec::new();
        // A broken connection is closed as well.
        let _ = self.stream.read_to_end(&mut rest).await;
    }

    pub(crate) fn group(&self) -> NamedGroup {
        self.stream.get_ref().1.negotiated_key_exchange_group().unwrap().name()
    }

    pub(crate) fn is_full_handshake(&self) -> bool {
        self.stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Full)
    }

    /// The certificate the server showed.
    pub(crate) fn shown(&self) -> CertificateDer<'static> {
        self.stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
    }
}

#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
