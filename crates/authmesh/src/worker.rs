//! For programs that run workers of their own, as the proxy does: lanes, clock, dice and bodies.

pub use authmesh_logic::Lane;

pub use crate::clock::Clock;
pub use crate::error::spread_seconds;
pub use crate::luck::with_dice;
pub use crate::pick::Picked;
pub use crate::request_body::{BodyBounds, BodyFault, RequestBody};
pub use crate::response_body::ResponseBody;
pub use crate::service::Treatment;
pub use crate::stack::Deadline;
pub use crate::transport::{Gathered, unpace};
pub use crate::tunnel::Tunnel;
