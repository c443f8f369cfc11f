//! A request written out, to ask the rules what they would say.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::inquiry::each_element;
use super::{AccessRules, Claims, Decision, Inquiry, RequestView};
use crate::discovery::ServiceName;
use crate::hygiene::path::normalise;
use crate::request_head::Fields;
use crate::routing::{HostPattern, host_of};

/// A request written out: who asks for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessCase {
    /// The service that is asked.
    pub service: ServiceName,
    /// The caller's SPIFFE ID, if it proved one.
    pub identity: Option<Box<str>>,
    /// The address at the other end of the connection.
    pub peer: Option<IpAddr>,
    /// The address of the client; that of the peer if `None`.
    pub client: Option<IpAddr>,
    /// The port the connection came in on.
    pub port: Option<u16>,
    /// The host, without a port.
    pub host: Box<str>,
    method: Box<str>,
    path: Box<str>,
    /// The header fields.
    pub fields: WrittenFields,
    /// The token that was believed, if there is one.
    pub token: Option<WrittenToken>,
}

/// Header fields written out: names in lower case, values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenFields(pub Vec<(Box<str>, Box<str>)>);

/// What a token says, written out: as if it had been verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenToken {
    /// Who issued it.
    pub issuer: Box<str>,
    /// Its claims, each with its texts.
    pub claims: Vec<(Box<str>, Vec<Box<str>>)>,
}

/// Why a text is no request that could reach the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseError {
    /// It is not a method, a space and a path.
    Form,
    /// The method is not one that is let in.
    Method,
    /// The path is refused before the rules are asked.
    Path,
    /// The host is none.
    Host,
}

impl AccessCase {
    /// The case of a request like `POST /login?next=1` to a service, by nobody from nowhere.
    ///
    /// # Errors
    /// What is wrong with the request.
    pub fn new(service: ServiceName, request: &str) -> Result<Self, CaseError> {
        let (method, target) = request.split_once(' ').ok_or(CaseError::Form)?;
        if !matches!(method, "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") {
            return Err(CaseError::Method);
        }
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        let path = match path {
            "*" if method == "OPTIONS" => "*".into(),
            _ => normalise(path).map_err(|_| CaseError::Path)?,
        };
        Ok(Self {
            service,
            identity: None,
            peer: None,
            client: None,
            port: None,
            host: "".into(),
            method: method.into(),
            path: path.into(),
            fields: WrittenFields::default(),
            token: None,
        })
    }

    /// The same case, asked of this host, with or without a port.
    ///
    /// # Errors
    /// [`CaseError::Host`] if it is no host.
    pub fn at_host(mut self, authority: &str) -> Result<Self, CaseError> {
        let host = host_of(authority);
        if host.starts_with('*') || HostPattern::parse(host).is_err() {
            return Err(CaseError::Host);
        }
        self.host = host.into();
        Ok(self)
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path, in normal form.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The case as the rules see it.
    #[must_use]
    pub fn inquiry(&self) -> Inquiry<'_> {
        Inquiry {
            service: self.service.as_str(),
            identity: self.identity.as_deref(),
            peer: self.peer,
            client: self.client.or(self.peer),
            port: self.port,
            request: Some(RequestView {
                method: &self.method,
                host: &self.host,
                path: &self.path,
                fields: &self.fields,
            }),
            token: self.token.as_ref().map(|token| token as &dyn Claims),
        }
    }

    /// What these rules say of it.
    #[must_use]
    pub fn decide(&self, rules: &AccessRules) -> Decision {
        rules.decide(&self.inquiry())
    }
}

impl Fields for WrittenFields {
    fn first(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|field| *field.0 == *name).map(|field| field.1.as_bytes())
    }

    fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|field| *field.0 == *name).count()
    }

    fn each(&self, visit: &mut dyn FnMut(&str, &[u8])) {
        self.0.iter().for_each(|(name, value)| visit(name, value.as_bytes()));
    }
}

impl Claims for WrittenToken {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn subject(&self) -> &str {
        let subject = self.claims.iter().find(|(name, _)| **name == *"sub");
        subject.and_then(|(_, texts)| texts.first()).map_or("", |text| text)
    }

    fn each_text(&self, name: &str, visit: &mut dyn FnMut(&str)) {
        if name == "iss" {
            return visit(&self.issuer);
        }
        let texts = self.claims.iter().filter(|(known, _)| **known == *name);
        for text in texts.flat_map(|(_, texts)| texts) {
            each_element(name, text, visit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_the_request_as_it_would_arrive() {
        let service: ServiceName = "login".parse().unwrap();
        let case = AccessCase::new(service.clone(), "GET /a/../b%41?x=1").unwrap();
        assert_eq!((case.method(), case.path()), ("GET", "/bA"));
        let case = case.at_host("Login.example:8443").unwrap();
        assert_eq!(&*case.host, "Login.example");
        let asterisk = AccessCase::new(service.clone(), "OPTIONS *").unwrap();
        assert_eq!(asterisk.path(), "*");
        for (request, fault) in [
            ("GET", CaseError::Form),
            ("get /", CaseError::Method),
            ("TRACE /", CaseError::Method),
            ("GET login", CaseError::Path),
            ("GET *", CaseError::Path),
            ("GET /a%2fb", CaseError::Path),
            ("GET /../..", CaseError::Path),
        ] {
            assert_eq!(AccessCase::new(service.clone(), request), Err(fault), "{request}");
        }
        assert_eq!(case.at_host("*.example"), Err(CaseError::Host));
    }

    #[test]
    fn a_token_that_is_written_out_says_what_it_would_say() {
        let claim = |name: &str, texts: &[&str]| {
            (name.into(), texts.iter().map(|text| (*text).into()).collect())
        };
        let token = WrittenToken {
            issuer: "https://idp".into(),
            claims: [
                claim("sub", &["alice"]),
                claim("scope", &["read write"]),
                claim("groups", &["dev", "ops"]),
            ]
            .into(),
        };
        assert_eq!((token.issuer(), token.subject()), ("https://idp", "alice"));
        for (name, wanted) in [
            ("scope", &["read", "write"][..]),
            ("groups", &["dev", "ops"]),
            ("iss", &["https://idp"]),
            ("other", &[]),
        ] {
            let mut found: Vec<Box<str>> = Vec::new();
            token.each_text(name, &mut |text| found.push(text.into()));
            let found: Vec<&str> = found.iter().map(|text| &**text).collect();
            assert_eq!(found, wanted, "{name}");
        }
    }
}
