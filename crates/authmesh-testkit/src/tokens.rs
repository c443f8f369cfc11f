//! Issues tokens for tests: an issuer with keys that it can exchange, and the server of its key set,
//! which fails as it is told.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, UNIX_EPOCH};

use authmesh::worker::Clock;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};

/// A key that signs tokens by ES256.
pub struct SigningKey {
    id: String,
    pair: EcdsaKeyPair,
}

/// The server of an issuer on loopback: `/keys`, and the discovery document that points to it.
pub struct IssuerServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// How an issuer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// With its key set.
    Well,
    /// With 500.
    Failing,
    /// Not at all: connections are taken and nothing is said.
    Silent,
    /// With a redirection to itself.
    Elsewhere,
    /// With a key set that has no end.
    Endless,
    /// With a key set that has no keys.
    Empty,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// How often the key set was asked for.
    asked: AtomicUsize,
}

struct State {
    mood: Mood,
    keys: Vec<Value>,
    /// What the discovery document says of its issuer, if it is not the truth.
    issuer: Option<String>,
    is_closing: bool,
    /// Connections that get no answer.
    held: Vec<TcpStream>,
}

impl SigningKey {
    /// A new key of this name.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub fn new(id: &str) -> io::Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Ok(Self { id: id.to_owned(), pair: pair.map_err(|_| io::Error::other("no key"))? })
    }

    /// The public half, as a member of a key set.
    #[must_use]
    pub fn public(&self) -> Value {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id,
            "x": encoded(x), "y": encoded(y),
        })
    }

    /// A token with these claims.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub fn token(&self, claims: &Value) -> io::Result<String> {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.id });
        let segment = |value: &Value| encoded(value.to_string().as_bytes());
        let signed = format!("{}.{}", segment(&header), segment(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.map_err(|_| io::Error::other("no signature"))?;
        Ok(format!("{signed}.{}", encoded(signature.as_ref())))
    }
}

/// The claims of a token of `issuer` for `audience` about `subject`, good for five minutes, and these
/// beside.
#[must_use]
pub fn claims(issuer: &str, audience: &str, subject: &str, beside: &Value) -> Value {
    let now = Clock.time_of_day().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut claims = json!({
        "iss": issuer, "aud": audience, "sub": subject, "iat": now, "exp": now + 300,
    });
    for (name, value) in beside.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    claims
}

impl IssuerServer {
    /// A server that is well and has these keys.
    ///
    /// # Errors
    ///
    /// When nothing can be listened on.
    pub fn start(keys: &[&SigningKey]) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                mood: Mood::Well,
                keys: keys.iter().map(|key| key.public()).collect(),
                issuer: None,
                is_closing: false,
                held: Vec::new(),
            }),
            changed: Condvar::new(),
            asked: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        let thread = Some(std::thread::spawn(move || serve(&listener, address, &serving)));
        Ok(Self { address, shared, thread })
    }

    /// What its tokens name as their issuer.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where its key set is.
    #[must_use]
    pub fn keys_url(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    /// How often the key set was asked for.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::Acquire)
    }

    /// Waits until the key set was asked for so often.
    pub fn wait_until_asked(&self, times: usize) {
        let mut state = self.shared.state();
        while self.asked() < times {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How it answers from now on. Who waited for an answer is hung up on.
    pub fn set_mood(&self, mood: Mood) {
        let mut state = self.shared.state();
        state.mood = mood;
        state.held.clear();
    }

    /// Which keys it has from now on.
    pub fn set_keys(&self, keys: &[&SigningKey]) {
        self.shared.state().keys = keys.iter().map(|key| key.public()).collect();
    }

    /// Lets its discovery document name another issuer.
    pub fn say_issuer(&self, issuer: &str) {
        self.shared.state().issuer = Some(issuer.to_owned());
    }
}

impl Drop for IssuerServer {
    fn drop(&mut self) {
        self.shared.state().is_closing = true;
        // Wakes the thread out of accepting.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported where it happened.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the server waits for a request that was begun.
const PATIENCE: Duration = Duration::from_secs(10);

fn serve(listener: &TcpListener, own: SocketAddr, shared: &Shared) {
    while let Ok((stream, _)) = listener.accept() {
        if shared.state().is_closing {
            return;
        }
        // Whoever leaves early is none of its business.
        let _ = answer(stream, own, shared);
    }
}

fn answer(mut stream: TcpStream, own: SocketAddr, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut asked = Vec::new();
    let mut byte = [0];
    while !asked.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        asked.push(byte[0]);
    }
    let is_for_keys = asked.starts_with(b"GET /keys ");
    let mut state = shared.state();
    if is_for_keys {
        shared.asked.fetch_add(1, Ordering::Release);
        shared.changed.notify_all();
    }
    let body = match (is_for_keys, state.mood) {
        (_, Mood::Silent) => {
            state.held.push(stream);
            return Ok(());
        }
        (_, Mood::Failing) => return say(&mut stream, "500 Internal Server Error", "", "no"),
        (_, Mood::Elsewhere) => {
            let place = format!("location: http://{own}/keys\r\n");
            return say(&mut stream, "302 Found", &place, "");
        }
        (true, Mood::Endless) => {
            drop(state);
            return say(&mut stream, "200 OK", "", &" ".repeat(10 * 1024 * 1024));
        }
        (true, Mood::Empty) => json!({ "keys": [] }),
        (true, Mood::Well) => json!({ "keys": state.keys }),
        (false, _) => {
            let issuer = state.issuer.clone().unwrap_or_else(|| format!("http://{own}"));
            json!({ "issuer": issuer, "jwks_uri": format!("http://{own}/keys") })
        }
    };
    drop(state);
    say(&mut stream, "200 OK", "", &body.to_string())
}

fn say(stream: &mut TcpStream, status: &str, fields: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{fields}content-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

fn encoded(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}
