//! A request as bytes, whole: as it will stand on the wire, with nothing left to decide about it.

/// A request in HTTP/1.1, head and body, as it is sent to an endpoint. May be sent any number of
/// times.
///
/// Whoever writes it answers for it: one request, its method as said, its body as long as its head
/// says.
#[derive(Debug)]
pub struct RawRequest {
    bytes: Vec<u8>,
    method_length: usize,
}

impl RawRequest {
    /// The request that stands in `bytes`; it begins with its method.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        let method_length = bytes.iter().position(|&byte| byte == b' ').unwrap_or(0);
        Self { bytes, method_length }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &str {
        str::from_utf8(&self.bytes[..self.method_length]).unwrap_or_default()
    }

    /// The request as it is sent.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The memory, for the next request.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn is_head(&self) -> bool {
        self.method() == "HEAD"
    }
}
