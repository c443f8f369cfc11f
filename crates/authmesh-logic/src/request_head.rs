//! A small borrowed view of a request's head, so that rules know no HTTP library.

/// The header fields of a request, as a rule sees them. Names compare without regard to case.
pub trait Fields {
    /// The value of the first field with this lower-case name.
    fn first(&self, name: &str) -> Option<&[u8]>;
    /// How many fields have this lower-case name.
    fn count(&self, name: &str) -> usize;
    /// Calls `visit` with each field: name in lower case, value.
    fn each(&self, visit: &mut dyn FnMut(&str, &[u8]));
}

/// The version of HTTP a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HttpVersion {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/2
    Http2,
}

/// What a rule may see of a request: its head, borrowed.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The version of HTTP.
    pub version: HttpVersion,
    /// The scheme of an absolute-form target or of `:scheme`.
    pub scheme: Option<&'a str>,
    /// The authority of an absolute-form target or of `:authority`.
    pub authority: Option<&'a str>,
    /// The path, as sent, without the query; `*` for the asterisk form.
    pub path: &'a str,
    /// The query, without its question mark.
    pub query: Option<&'a str>,
    /// The header fields.
    pub fields: &'a dyn Fields,
}

/// Fields written out, for tests.
#[cfg(test)]
pub(crate) struct FieldList<'a>(pub(crate) &'a [(&'a str, &'a str)]);

#[cfg(test)]
impl Fields for FieldList<'_> {
    fn first(&self, name: &str) -> Option<&[u8]> {
        let is_named = |field: &&(&str, &str)| field.0.eq_ignore_ascii_case(name);
        self.0.iter().find(is_named).map(|field| field.1.as_bytes())
    }

    fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|field| field.0.eq_ignore_ascii_case(name)).count()
    }

    fn each(&self, visit: &mut dyn FnMut(&str, &[u8])) {
        self.0.iter().for_each(|(name, value)| visit(&name.to_ascii_lowercase(), value.as_bytes()));
    }
}
