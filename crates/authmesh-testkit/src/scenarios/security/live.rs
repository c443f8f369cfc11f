//! A real proxy between a client and an upstream that both speak bytes.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use authmesh::config::{self, Files};
use authmesh_logic::discovery::Address;
use authmesh_proxy::Proxy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a case waits for what must come. It ends what hangs; no verdict rests on it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long nothing comes until somebody says that nothing more will.
const SILENCE: Duration = Duration::from_secs(1);

/// A proxy with one listener and one service behind it.
pub(super) struct Live {
    address: String,
    upstream: Upstream,
    // Serves until it is dropped.
    _proxy: Proxy,
    _folder: tempfile::TempDir,
}

/// What the upstream got, and whether its connections have ended.
struct Upstream {
    requests: Arc<Mutex<Vec<String>>>,
    open: watch::Receiver<usize>,
    /// Tells it to end its side of its connections.
    end: watch::Sender<bool>,
}

/// What is done about a silence.
pub(super) enum Silence<'a> {
    /// The client says that nothing more comes from it.
    EndsClient,
    /// The upstream says so.
    EndsUpstream(&'a Live),
}

/// What came back from the proxy.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// All of it, for people.
    #[expect(dead_code, reason = "told where a case fails")]
    text: String,
    /// Whether its body ended as its head says.
    pub(super) is_whole: bool,
}

impl Live {
    /// Starts a proxy whose service gives `answer` to every request. `more` is further
    /// configuration; an error is what the configuration does not take.
    pub(super) async fn start(answer: Vec<u8>, more: &str) -> Result<Self, String> {
        let upstream = Upstream::answering(answer).await.map_err(|error| error.to_string())?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let file = folder.path().join("mesh.toml");
        let text = format!(
            "version = 1\n[authorization]\ndefault = \"allow\"\n\
             [[listener]]\nname = \"web\"\naddress = \"127.0.0.1:0\"\nforward_to = \"service\"\n\
             [service.service]\nendpoints = [\"{}\"]\nretry = \"off\"\n\
             breaker = \"off\"\nendpoint_breaker = \"off\"\n{more}",
            upstream.0
        );
        std::fs::write(&file, text).map_err(|error| error.to_string())?;
        let loaded = config::load(&file, Files::Trust).map_err(|problems| {
            problems.to_string().lines().next().unwrap_or("no configuration").to_owned()
        })?;
        let started = Proxy::start(loaded.config, 1).await;
        let proxy = started.map_err(|error| error.to_string())?;
        let Some(Address::Tcp(address)) = proxy.addresses().await.remove("web") else {
            return Err("the listener does not listen on TCP".to_owned());
        };
        let (address, upstream) = (address.to_string(), upstream.1);
        Ok(Self { address, upstream, _proxy: proxy, _folder: folder })
    }

    /// Every request that arrived upstream, whole.
    pub(super) fn requests(&self) -> Vec<String> {
        self.upstream.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the proxy ends its connections to the upstream.
    pub(super) async fn closes_upstream(&self) -> bool {
        let mut open = self.upstream.open.clone();
        timeout(PATIENCE, open.wait_for(|open| *open == 0)).await.is_ok()
    }

    pub(super) async fn connect(&self) -> io::Result<Client> {
        Ok(Client { stream: TcpStream::connect(&self.address).await?, unread: Vec::new() })
    }
}

/// A client's connection.
pub(super) struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Client {
    /// Sends these bytes, or as many of them as the proxy takes before it ends the connection.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.stream.write_all(bytes)).await;
    }

    /// The next answer. If none is whole after a silence, `break_silence` is done, and what there is
    /// then is the answer.
    pub(super) async fn answer_or(&mut self, break_silence: Silence<'_>) -> Option<Answer> {
        if let Ok(answer) = timeout(SILENCE, self.read_answer()).await {
            return answer;
        }
        match break_silence {
            Silence::EndsClient => drop(self.stream.shutdown().await),
            Silence::EndsUpstream(live) => drop(live.upstream.end.send(true)),
        }
        timeout(PATIENCE, self.read_answer()).await.ok()?
    }

    /// Everything that still comes; `None` if the proxy does not end the connection.
    pub(super) async fn rest(&mut self) -> Option<Vec<u8>> {
        let reading = async { while self.more().await {} };
        timeout(PATIENCE, reading).await.ok()?;
        Some(std::mem::take(&mut self.unread))
    }

    /// What has come once `is_enough` of it has, the proxy has ended the connection, or it is silent
    /// after something that `is_word` of it.
    pub(super) async fn until(
        &mut self,
        is_enough: impl Fn(&[u8]) -> bool,
        is_word: impl Fn(&[u8]) -> bool,
    ) -> &[u8] {
        while !is_enough(&self.unread) {
            let patience = if is_word(&self.unread) { SILENCE } else { PATIENCE };
            if !matches!(timeout(patience, self.more()).await, Ok(true)) {
                break;
            }
        }
        &self.unread
    }

    /// Can be given up and begun again: nothing is taken before the answer has ended.
    async fn read_answer(&mut self) -> Option<Answer> {
        let mut has_ended = false;
        loop {
            if let Some((answer, end)) = Answer::parse(&self.unread, has_ended) {
                self.unread.drain(..end);
                return Some(answer);
            }
            if has_ended {
                return None;
            }
            has_ended = !self.more().await;
        }
    }

    /// Reads on; false at the end, however it comes.
    async fn more(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.unread).await, Ok(1..))
    }
}

impl Answer {
    /// The answer these bytes begin with, and where it ends. `has_ended`: no more will come.
    fn parse(bytes: &[u8], has_ended: bool) -> Option<(Self, usize)> {
        let head = position(bytes, b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
        let status = text.split(' ').nth(1)?.parse().ok()?;
        let length = text.split("\r\ncontent-length: ").nth(1);
        let length: Option<usize> = length.and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        let (is_whole, end) = if matches!(status, 101 | 204 | 304) {
            (true, head)
        } else if let Some(length) = length {
            (bytes.len() >= head + length, bytes.len().min(head + length))
        } else if text.contains("\r\ntransfer-encoding: chunked\r\n") {
            let end = end_of_chunks(bytes, head);
            (end.is_some(), end.unwrap_or(bytes.len()))
        } else {
            (has_ended, bytes.len())
        };
        let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
        (is_whole || has_ended).then_some((Self { status, text, is_whole }, end))
    }
}

impl Upstream {
    /// Its address, and itself.
    async fn answering(answer: Vec<u8>) -> io::Result<(String, Self)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (count, open) = watch::channel(0);
        let (end, ending) = watch::channel(false);
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            let (answer, count) = (Arc::new(answer), Arc::new(count));
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                let serving = serve(stream, seen, answer, ending.clone());
                count.send_modify(|open| *open += 1);
                tokio::spawn(counted(serving, Arc::clone(&count)));
            }
        });
        Ok((address, Self { requests, open, end }))
    }
}

async fn counted(serving: impl Future<Output = Option<()>>, count: Arc<watch::Sender<usize>>) {
    serving.await;
    count.send_modify(|open| *open -= 1);
}

/// Answers request after request until the proxy ends the connection.
async fn serve(
    mut stream: TcpStream,
    seen: Arc<Mutex<Vec<String>>>,
    answer: Arc<Vec<u8>>,
    mut ending: watch::Receiver<bool>,
) -> Option<()> {
    let mut unread = Vec::new();
    loop {
        let request = tokio::select! {
            request = read_request(&mut stream, &mut unread) => Some(request?),
            () = until_told(&mut ending) => None,
        };
        let Some(request) = request else {
            stream.shutdown().await.ok()?;
            while read_request(&mut stream, &mut unread).await.is_some() {}
            return None;
        };
        let text = String::from_utf8_lossy(&request).into_owned();
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        stream.write_all(&answer).await.ok()?;
    }
}

async fn until_told(ending: &mut watch::Receiver<bool>) {
    // Whoever tells is gone only with the whole case.
    let _ = ending.wait_for(|is_ending| *is_ending).await;
}

async fn read_request(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        if let Some(end) = end_of_request(unread) {
            return Some(unread.drain(..end).collect());
        }
        if !matches!(stream.read_buf(unread).await, Ok(1..)) {
            return None;
        }
    }
}

/// Where the request ends that these bytes begin with, as the proxy writes requests.
fn end_of_request(bytes: &[u8]) -> Option<usize> {
    let head = position(bytes, b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    if text.contains("\r\ntransfer-encoding: chunked\r\n") {
        return end_of_chunks(bytes, head);
    }
    let length = text.split("\r\ncontent-length: ").nth(1);
    let length = length.and_then(|rest| rest.split("\r\n").next()?.parse().ok()).unwrap_or(0);
    (bytes.len() >= head + length).then_some(head + length)
}

fn end_of_chunks(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let line = at + position(&bytes[at..], b"\r\n")?;
        let size = std::str::from_utf8(&bytes[at..line]).ok()?;
        let size = usize::from_str_radix(size, 16).ok()?;
        at = line + 2;
        if size == 0 {
            // Then the trailers, and a line with nothing on it.
            while !bytes[at..].starts_with(b"\r\n") {
                at += position(&bytes[at..], b"\r\n")? + 2;
            }
            return Some(at + 2);
        }
        at = at.checked_add(size)?.checked_add(2).filter(|at| *at <= bytes.len())?;
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
