//! A service that does to each connection what a test wants.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server on a port of its own.
pub(crate) struct Backend {
    pub(crate) address: String,
    open: Arc<AtomicUsize>,
}

impl Backend {
    /// Serves each connection with `serve`.
    pub(crate) async fn serving<S, F>(serve: S) -> Self
    where
        S: Fn(TcpStream) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let open = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&open);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (serving, open) = (serve(stream), Arc::clone(&counted));
                open.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    serving.await;
                    open.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Self { address, open }
    }

    /// How many connections are being served.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

/// Reads the head of a request; `None` if the other side ends before it is whole.
pub(crate) async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// Waits until the other side ends or breaks the connection.
pub(crate) async fn until_left(stream: &mut TcpStream) {
    let mut buffer = [0; 1_024];
    while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
}

/// Writes for as long as the other side takes it.
pub(crate) async fn write_for_ever(stream: &mut TcpStream) {
    let piece = vec![b'x'; 64 * 1_024];
    while stream.write_all(&piece).await.is_ok() {}
}

/// Breaks the connection: the other side sees a reset, not an end.
pub(crate) fn reset(stream: TcpStream) {
    socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(stream);
}
