//! How large a request head may be, and what else depends on the listener.

/// What a listener lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most header fields.
    pub fields: u32,
    /// The most bytes of all fields together, as they stand in HTTP/1.
    pub head_bytes: u32,
    /// The most bytes of one field's name.
    pub name_bytes: u32,
    /// The most bytes of the target.
    pub target_bytes: u32,
    /// The most addresses in `X-Forwarded-For`.
    pub forwarders: u32,
    /// Whether the listener's connections are encrypted: only there may HTTP/1 name `https`.
    pub encrypted: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            fields: 100,
            head_bytes: 60 * 1024,
            name_bytes: 256,
            target_bytes: 8 * 1024,
            forwarders: 100,
            encrypted: false,
        }
    }
}
