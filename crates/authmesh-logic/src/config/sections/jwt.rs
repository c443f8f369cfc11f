//! Reads a token provider: whose tokens are believed, and where the keys come from.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;

use super::words::NAME_HELP;
use crate::config::findings::Written;
use crate::config::reader::Reader;
use crate::config::tree::Value;
use crate::config::values::{listed, put};
use crate::config::{Code, Problem, ProviderPlaces};
use crate::discovery::ServiceName;
use crate::jwt::{
    Algorithm, KeySource, Provider, RefreshPolicy, TokenPolicy, UrlFault, check_key_url,
};

pub(in crate::config) fn read_provider(
    name: &Written<&str>,
    mut reader: Reader<'_, '_>,
) -> Option<Provider> {
    let (value, span) = (name.value.to_string(), reader.span());
    reader.findings.provider_names.push(Written { value, key: span, span });
    let is_name = name.value.parse::<ServiceName>().is_ok();
    if !is_name {
        let sentence = "this is not a name for a token provider";
        reader.report(Problem::new(Code::NotAllowed, name.span, sentence).help(NAME_HELP));
    }
    let issuer = read_issuer(&mut reader);
    let audiences = read_audiences(&mut reader);
    let mut tokens = TokenPolicy::new(issuer.as_ref().map_or("", |issuer| issuer.value), &[]);
    tokens.audiences = audiences.unwrap_or_default();
    put(&mut tokens.algorithms, read_algorithms(&mut reader));
    put(&mut tokens.types, texts(&mut reader, "typ"));
    if let Some(leeway) = reader.duration_or_off("leeway") {
        tokens.leeway = leeway.value.unwrap_or(Duration::ZERO);
        let most = TokenPolicy::MOST_LEEWAY;
        within(&mut reader, "leeway", &leeway.with(tokens.leeway), Duration::ZERO, most);
    }
    put(&mut tokens.longest_lifetime, reader.duration_or_off("max_lifetime"));
    let forwards = reader.boolean("forward").is_some_and(|forward| forward.value);
    let keys = read_keys(&mut reader, issuer.as_ref());
    reader.deny_rest();
    let mut provider =
        Provider { forwards, ..Provider::new(name.value, tokens, KeySource::Discovery) };
    issuer?;
    keys?.put_into(&mut provider);
    Some(provider)
}

/// What `jwks` says.
struct Keys {
    source: KeySource,
    authorities: Option<Box<str>>,
    copy: Option<Box<str>>,
    refresh: RefreshPolicy,
}

impl Keys {
    fn put_into(self, provider: &mut Provider) {
        let Self { source, authorities, copy, refresh } = self;
        (provider.keys, provider.refresh) = (source, refresh);
        (provider.authorities, provider.copy) = (authorities, copy);
    }
}

/// What to write where an algorithm cannot be believed.
const ALGORITHM_HELP: &str = "leave it out and name what the issuer signs with, such as `ES256`";

fn read_issuer<'tree>(reader: &mut Reader<'tree, '_>) -> Option<Written<&'tree str>> {
    let issuer = reader.string("issuer");
    let issuer = reader.required("issuer", issuer)?;
    let is_plain = issuer.value.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
    if issuer.value.is_empty() || !is_plain {
        let sentence = "an issuer is a text without spaces, as `iss` of its tokens says it";
        let problem = Problem::new(Code::NotAllowed, issuer.span, sentence);
        reader.report(problem.help("issuer = \"https://idp.example\""));
        return None;
    }
    reader.findings.issuers.push(issuer.with(issuer.value.to_string()));
    Some(issuer)
}

fn read_audiences(reader: &mut Reader<'_, '_>) -> Option<Vec<Box<str>>> {
    if !reader.has("audiences") {
        let sentence = format!("`audiences` is required in {}", reader.title());
        reader.report(
            Problem::new(Code::AudiencesMissing, reader.span(), sentence)
                .note("a token that was made for another service would pass")
                .help("audiences = [\"https://SERVICE\"]"),
        );
    }
    texts(reader, "audiences").map(|audiences| audiences.value)
}

fn read_algorithms(reader: &mut Reader<'_, '_>) -> Option<Written<Vec<Algorithm>>> {
    let words = reader.strings("algorithms")?;
    refuse_empty(reader, "algorithms", &words);
    let mut algorithms = Vec::new();
    for word in &words.value {
        match Algorithm::named(word.value) {
            _ if word.value.eq_ignore_ascii_case("none") => {
                let sentence = "`none` is not an algorithm here";
                let problem = Problem::new(Code::AlgorithmNone, word.span, sentence);
                let problem = problem.note("anyone could write such a token");
                reader.report(problem.help(ALGORITHM_HELP));
            }
            Some(algorithm) if algorithm.is_symmetric() => {
                let sentence = "symmetric algorithms cannot be used with a JWKS";
                reader.report(
                    Problem::new(Code::SymmetricBesideJwks, word.span, sentence)
                        .note("whoever reads the public key could sign with it")
                        .help(ALGORITHM_HELP),
                );
            }
            Some(algorithm) => algorithms.push(algorithm),
            None => {
                let usable = Algorithm::ALL.iter().filter(|algorithm| !algorithm.is_symmetric());
                let sentence =
                    format!("`algorithms` takes {}", listed(usable.map(|one| one.word())));
                reader.report(Problem::new(Code::NotAllowed, word.span, sentence));
            }
        }
    }
    Some(words.with(algorithms))
}

/// A URL, or a table that says more.
fn read_keys(reader: &mut Reader<'_, '_>, issuer: Option<&Written<&str>>) -> Option<Keys> {
    let entry = reader.take("jwks");
    let entry = reader.required("jwks", entry)?;
    if matches!(entry.node.value, Value::String(_)) {
        let url = reader.string("jwks")?;
        let source = key_url(reader, "jwks", &url).then(|| KeySource::Url(url.value.into()))?;
        let refresh = RefreshPolicy::default();
        reader.findings.outside.providers.push(ProviderPlaces::default());
        return Some(Keys { source, authorities: None, copy: None, refresh });
    }
    let mut table = reader.table("jwks", "jwks")?;
    let source = read_source(&mut table, issuer);
    let is_file = matches!(source, Some(KeySource::File(_)));
    let keys = Keys {
        source: source.unwrap_or(KeySource::Discovery),
        authorities: remote_path(&mut table, "ca", is_file),
        copy: remote_path(&mut table, "copy", is_file),
        refresh: read_refresh(&mut table, is_file),
    };
    let place = |key| table.untaken(key).map(|node| node.span).unwrap_or_default();
    let places = ProviderPlaces { file: place("file"), ca: place("ca") };
    table.findings.outside.providers.push(places);
    let has_source = ["discover", "url", "file"].iter().any(|key| table.has(key));
    table.deny_rest();
    has_source.then_some(keys)
}

fn read_source(reader: &mut Reader<'_, '_>, issuer: Option<&Written<&str>>) -> Option<KeySource> {
    let sources = ["discover", "url", "file"];
    match sources.iter().filter(|key| reader.has(key)).count() {
        0 => {
            let sentence = "`jwks` needs `discover`, `url` or `file`";
            let problem = Problem::new(Code::NoneOfThem, reader.span(), sentence);
            reader.report(problem.help("jwks = { discover = true }"));
        }
        1 => {}
        _ => {
            let sentence = "`jwks` has one of `discover`, `url` and `file`";
            let problem = Problem::new(Code::MoreThanOne, reader.span(), sentence);
            reader.report(problem.help("keep the one that the keys come from"));
        }
    }
    let discover = reader.boolean("discover");
    let url = reader.string("url");
    let file = reader.path("file");
    if let Some(discover) = &discover {
        if !discover.value {
            let sentence = "`discover` takes `true`; leave it out instead";
            reader.report(Problem::new(Code::NotAllowed, discover.span, sentence));
        }
        if let Some(issuer) = issuer {
            key_url(reader, "issuer", issuer);
        }
        return Some(KeySource::Discovery);
    }
    if let Some(url) = url {
        return key_url(reader, "url", &url).then(|| KeySource::Url(url.value.into()));
    }
    file.map(|path| KeySource::File(path.value.into()))
}

fn without_scheme(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest)
}

/// Whether keys may be fetched from a URL.
fn key_url(reader: &mut Reader<'_, '_>, key: &str, url: &Written<&str>) -> bool {
    let fault = check_key_url(url.value).err();
    let problem = match fault {
        None => return true,
        Some(UrlFault::NotAUrl) if url.value.starts_with("https://") => {
            let sentence = format!("`{key}` is not a URL that keys can be fetched from");
            Problem::new(Code::BadAddress, url.span, sentence)
        }
        Some(_) => Problem::new(Code::JwksNotHttps, url.span, format!("`{key}` must be https"))
            .note("whoever answers in its place could make every token valid")
            .help(format!("{key} = \"https://{}\"", without_scheme(url.value))),
    };
    reader.report(problem);
    false
}

/// A path that means something where keys are fetched.
fn remote_path(reader: &mut Reader<'_, '_>, key: &'static str, is_file: bool) -> Option<Box<str>> {
    let path = reader.path(key)?;
    if is_file {
        reader.no_effect(path.key, key, "beside `file`");
    }
    Some(path.value.into())
}

fn read_refresh(reader: &mut Reader<'_, '_>, is_file: bool) -> RefreshPolicy {
    let mut refresh = RefreshPolicy::default();
    if let Some(interval) = reader.duration("refresh") {
        let (least, most) = (RefreshPolicy::LEAST_INTERVAL, RefreshPolicy::MOST_INTERVAL);
        within(reader, "refresh", &interval, least, most);
        if is_file {
            reader.no_effect(interval.key, "refresh", "beside `file`");
        }
        refresh.interval = interval.value;
    }
    if let Some(cooldown) = reader.duration("cooldown") {
        let (least, most) = (RefreshPolicy::LEAST_COOLDOWN, RefreshPolicy::MOST_COOLDOWN);
        within(reader, "cooldown", &cooldown, least, most);
        refresh.cooldown = cooldown.value;
    }
    if let Some(stale) = reader.duration("stale_if_error") {
        if stale.value < refresh.cooldown * RefreshPolicy::LEAST_STALE {
            let sentence = "`stale_if_error` is at least three times `cooldown`";
            reader.report(
                Problem::new(Code::NotAllowed, stale.span, sentence)
                    .note("one fetch that fails would leave the mesh without keys"),
            );
        }
        refresh.stale_if_error = stale.value;
    }
    refresh
}

fn within(
    reader: &mut Reader<'_, '_>,
    key: &str,
    time: &Written<Duration>,
    least: Duration,
    most: Duration,
) {
    if !(least..=most).contains(&time.value) {
        let (least, most) = (least.as_secs(), most.as_secs());
        let sentence = format!("`{key}` takes a duration from {least} s to {most} s");
        reader.report(Problem::new(Code::NotAllowed, time.span, sentence));
    }
}

/// A list with something in it.
fn texts(reader: &mut Reader<'_, '_>, key: &'static str) -> Option<Written<Vec<Box<str>>>> {
    let texts = reader.strings(key)?;
    refuse_empty(reader, key, &texts);
    if let Some(empty) = texts.value.iter().find(|text| text.value.is_empty()) {
        let sentence = format!("an empty text in `{key}` means nothing");
        reader.report(Problem::new(Code::NotAllowed, empty.span, sentence));
    }
    Some(texts.with(texts.value.iter().map(|text| text.value.into()).collect()))
}

fn refuse_empty<T>(reader: &mut Reader<'_, '_>, key: &'static str, list: &Written<T>) {
    if reader.is_empty_array(key) {
        let sentence = format!("`{key}` is empty: no token could pass");
        let problem = Problem::new(Code::NotAllowed, list.span, sentence);
        reader.report(problem.help(format!("name what `{key}` of a sound token may be")));
    }
}
