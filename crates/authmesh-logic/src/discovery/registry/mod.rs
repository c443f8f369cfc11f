//! Records who is registered, on proof that runs out: leases.
//!
//! | state | what happens | becomes |
//! |---|---|---|
//! | absent | it registers | held |
//! | held | a heartbeat, or it registers again | held, for its whole time to live |
//! | held | its time to live passes | expired: still in the view, in limbo |
//! | expired | a heartbeat, or it registers again | held |
//! | expired | the limbo passes | absent: given up |
//! | held, expired | it deregisters | absent |

mod access;
mod decision;
mod limits;
mod records;
mod refusal;

pub use access::{Registrant, RegistrantError, Registrants, Wish};
pub use decision::Decision;
pub use limits::{
    DEFAULT_TTL, LIMBO_TTLS, LONGEST_LIMBO, LONGEST_METADATA, LONGEST_TTL, LONGEST_WORD, Limits,
    MOST_ADDRESSES, SHORTEST_TTL, limbo,
};
pub use records::{Departure, Granted, LeaseNumber, Records, Registered};
pub use refusal::Refusal;
