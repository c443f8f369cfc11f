//! Where the body of an HTTP/1.1 message ends, for whoever passes one on as bytes.

mod body_end;

mod chunks;

pub use body_end::{BodyEnd, answer_body_end, keeps_connection};
pub use chunks::{ChunkFault, Chunks, MOST_OVERHEAD, Piece};
