//! Cases of forwarded fields: what arrives upstream of what a peer sent, or why nothing does.

use std::net::IpAddr;

use authmesh_logic::hygiene::{Client, TrustedNetwork, request};
use authmesh_logic::request_head::{Fields, HttpVersion, RequestHead};
use serde::Deserialize;
use serde_json::Value;

use super::live::{Live, Silence};
use super::{OK, played};
use crate::scenarios::Verdict;

/// Runs one case.
pub(super) fn run(case: &Value, _meta: &Value) -> Verdict {
    played(case, Case::play)
}

type Case = super::Case<Input, Expect>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(rename = "kind")]
    _kind: RequestHeaders,
    /// An address, and whether it is among the trusted proxies.
    peer: String,
    headers: Vec<(String, String)>,
    config: Config,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    trusted_proxies: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what is for people")]
struct Expect {
    authmesh_strict: Strict,
    notes: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    status: Option<u16>,
    /// The word of the fault.
    reason: Option<String>,
    upstream: Option<String>,
    client_ip: Option<IpAddr>,
    log: Option<String>,
}

#[derive(Deserialize)]
enum RequestHeaders {
    #[serde(rename = "request_headers")]
    Ours,
}

impl Case {
    async fn play(self) -> Result<(), Verdict> {
        let Self { input, expect: Expect { authmesh_strict: expect, .. }, .. } = self;
        if expect.log.is_some() {
            return Err(unsupported("there is no log of requests"));
        }
        let sent = Sent::of(&input)?;
        if let Some(wanted) = expect.client_ip {
            compare("the client", &wanted, &sent.client.address)?;
        }
        if let Some(wanted) = &expect.reason {
            compare("the reason", wanted.as_str(), sent.fault().unwrap_or("none"))?;
        }
        match (&expect.upstream, expect.status) {
            (Some(text), None) if text.starts_with("x-forwarded-for: ") => {
                let mut list = String::new();
                sent.client.write_forwarded_for(sent.peer, &List(&sent.fields), &mut list);
                compare("upstream", text, &format!("x-forwarded-for: {list}"))
            }
            (Some(text), None) => {
                let (status, request) = sent.send().await?;
                compare("the status", &200, &status)?;
                sent.arrives_as(text, &request)
            }
            (None, Some(wanted)) => compare("the status", &wanted, &sent.send().await?.0),
            (None, None) if expect.client_ip.is_some() => Ok(()),
            _ => Err(unsupported("neither a status nor what arrives upstream")),
        }
    }
}

/// A request as it is sent.
struct Sent {
    peer: IpAddr,
    method: String,
    fields: Vec<(String, String)>,
    client: Client,
}

impl Sent {
    fn of(input: &Input) -> Result<Self, Verdict> {
        let peer = input.peer.split(' ').next().and_then(|word| word.parse().ok());
        let peer = peer.ok_or_else(|| unsupported("the peer is no address"))?;
        let trusted: Option<Vec<_>> =
            input.config.trusted_proxies.iter().map(|text| network(text)).collect();
        let trusted = trusted.ok_or_else(|| unsupported("a trusted proxy is no network"))?;
        let (mut method, mut fields) = ("GET".to_owned(), Vec::new());
        for (name, value) in &input.headers {
            match name.as_str() {
                ":method" => method.clone_from(value),
                name if name.starts_with(':') => return Err(unsupported(name)),
                _ => fields.push((name.clone(), repeated(value))),
            }
        }
        let client = Client::of(peer, &trusted, &List(&fields));
        Ok(Self { peer, method, fields, client })
    }

    /// The word of what is wrong with the head.
    fn fault(&self) -> Option<&'static str> {
        let mut fields = self.fields.clone();
        fields.push(("host".to_owned(), "a".to_owned()));
        let fields = &List(&fields);
        let (scheme, authority, query) = (None, None, None);
        let (method, version, path) = (self.method.as_str(), HttpVersion::Http11, "/");
        let head = RequestHead { method, version, scheme, authority, path, query, fields };
        request::check(&head, &request::Bounds::default()).err().map(|refusal| refusal.fault.word())
    }

    /// Sends it through a proxy that trusts nobody; the status, and what arrived upstream.
    async fn send(&self) -> Result<(u16, String), Verdict> {
        if self.client.from_trusted {
            return Err(unsupported("a trusted peer cannot be played on loopback"));
        }
        let live = Live::start(OK.into(), "").await.map_err(Verdict::Unsupported)?;
        let mut client =
            live.connect().await.map_err(|error| Verdict::Failed(error.to_string()))?;
        let fields: String =
            self.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("{} / HTTP/1.1\r\nHost: a\r\n{fields}\r\n", self.method);
        client.send(head.as_bytes()).await;
        let answer = client.answer_or(Silence::EndsClient).await;
        let answer = answer.ok_or_else(|| Verdict::Failed("no answer came".to_owned()))?;
        Ok((answer.status, live.requests().pop().unwrap_or_default()))
    }

    /// Whether `request` holds what `text` says.
    fn arrives_as(&self, text: &str, request: &str) -> Result<(), Verdict> {
        let arrived = |wanted: &str| -> Vec<&str> {
            let fields = request.lines().skip(1).filter_map(|line| line.split_once(": "));
            let of_name = fields.filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
            of_name.map(|(_, value)| value).collect()
        };
        let every = |is_met: &dyn Fn(&str, &str) -> bool| {
            self.fields.iter().all(|(name, value)| is_met(name, value))
        };
        let is_met = match text {
            "absent"
            | "header absent (or the proxy's own value)"
            | "X-Hop and Connection absent" => every(&|name, _| arrived(name).is_empty()),
            "both rewritten from the connection" => {
                every(&|name, value| !arrived(name).contains(&value))
            }
            "a new id" | "a new traceparent" => every(&|name, value| {
                let arrived = arrived(name);
                arrived.len() == 1 && arrived[0] != value
            }),
            _ => match text.split_once(": ") {
                Some((name, "unchanged")) => every(&|_, value| arrived(name) == [value]),
                Some((name, wanted)) => arrived(name) == [wanted],
                None => return Err(unsupported(text)),
            },
        };
        if is_met { Ok(()) } else { Err(failed(text, request)) }
    }
}

/// Fields as rules see them.
struct List<'a>(&'a [(String, String)]);

impl Fields for List<'_> {
    fn first(&self, name: &str) -> Option<&[u8]> {
        let mut fields = self.0.iter();
        fields.find(|field| field.0.eq_ignore_ascii_case(name)).map(|field| field.1.as_bytes())
    }

    fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|field| field.0.eq_ignore_ascii_case(name)).count()
    }

    fn each(&self, visit: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in self.0 {
            visit(&name.to_ascii_lowercase(), value.as_bytes());
        }
    }
}

fn network(text: &str) -> Option<TrustedNetwork> {
    let (address, prefix) = text.split_once('/')?;
    Some(TrustedNetwork { address: address.parse().ok()?, prefix: prefix.parse().ok()? })
}

/// `1.1.1.1, (x5000)` is so many times what stands before the parenthesis.
fn repeated(value: &str) -> String {
    const MOST: usize = 10_000;
    let parts = value.strip_suffix(')').and_then(|rest| rest.rsplit_once("(x"));
    match parts.and_then(|(text, count)| Some((text, count.parse::<usize>().ok()?))) {
        Some((text, count)) => text.repeat(count.min(MOST)).trim_end_matches([',', ' ']).to_owned(),
        None => value.to_owned(),
    }
}

fn compare<T>(what: &str, wanted: &T, got: &T) -> Result<(), Verdict>
where
    T: PartialEq + std::fmt::Debug + ?Sized,
{
    if wanted == got {
        return Ok(());
    }
    Err(Verdict::Failed(format!("{what}: expected {wanted:?}, got {got:?}")))
}

fn failed(wanted: &str, got: &str) -> Verdict {
    Verdict::Failed(format!("expected `{wanted}`, got {got:?}"))
}

fn unsupported(why: &str) -> Verdict {
    Verdict::Unsupported(why.to_owned())
}
