//! For programs that run workers of their own, as the proxy does: lanes, clock, dice and bodies.

pub use authmesh_logic::Lane;

pub use crate::clock::Clock;
pub use crate::error::spread_seconds;
pub use crate::luck::with_dice;
pub use crate::pick::Picked;
pub use crate::raw_head::{Malformed, RawFields, RawHead, RequestLine};
pub use crate::raw_reply::RawReply;
pub use crate::raw_request::RawRequest;
pub use crate::request_body::{BodyBounds, BodyFault, RequestBody};
pub use crate::response_body::ResponseBody;
pub use crate::scratch::with_scratch;
pub use crate::service::Treatment;
pub use crate::stack::Deadline;
pub use crate::transport::{Gathered, Progress, unpace};
pub use crate::tunnel::Tunnel;
