//! What an answer says of the dependency that gave it: was it doing its job, and in time?
//!
//! [`http`] reads the head alone; [`oauth2`] also the error code in the body of a refusal;
//! [`grpc`] the status at the end of the answer. [`ldap`] and [`radius`] are for programs that speak
//! those protocols behind a breaker or an endpoint on loan. All of them hold to one rule: nothing that a
//! caller can bring about alone is a failure, so that callers cannot open a breaker.

mod grpc;

mod http;

mod http_date;
mod ldap;

mod oauth2;

mod radius;

mod retry_after;

pub use grpc::{GRPC_PUSHBACK, GRPC_STATUS, GRPC_TIMEOUT, grpc, grpc_pushback, grpc_timeout};
pub use http::{answer_invites_retry, authmesh_reason, http, reason_invites_retry};
pub use http_date::http_date;
pub use ldap::ldap;
pub use oauth2::{MOST_JUDGED_BYTES, OAuthBody, is_judged_by_body, oauth2};
pub use radius::radius;
pub use retry_after::retry_after;
