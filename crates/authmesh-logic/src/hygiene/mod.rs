//! Refuses what an HTTP parser lets through, and says what travels on.

mod form;

pub mod path;

mod authority;
mod field;

pub mod forward;

mod client;
mod frames;
mod identifiers;
mod upgrade;

mod plain;

pub mod request;

pub mod response;

pub(crate) use authority::{is_host, is_name};
pub use client::{Client, TrustedNetwork};
pub use field::{connection_names, is_same_field};
pub use frames::{FRAME_WINDOW, FrameFlood, FrameWatch, MOST_IDLE_FRAMES};
pub use identifiers::{REQUEST_ID_BYTES, is_request_id, is_traceparent};
pub use plain::{Plain, plain};
pub use upgrade::{WEBSOCKET, asks_for_websocket};
