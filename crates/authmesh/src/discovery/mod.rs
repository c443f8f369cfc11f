//! Discovery: finds instances.
//!
//! A [`Source`] says what is known of one service: [`Fixed`] what a program names, [`File`] what a
//! watched file lists, [`Watch`] who is registered in a [`Registry`].

mod file;
mod fixed;
mod registry;
mod source;

pub use authmesh_logic::discovery::{
    Address, AddressError, Administration, Instance, InstanceId, Lease, ServiceName,
    ServiceNameError, Update, View, Weight,
};
pub use file::File;
pub use fixed::Fixed;
pub use registry::{
    DEFAULT_TTL, DiscoveryMetrics, Granted, Refusal, Registrant, Registrants, Registration,
    Registry, RegistryError, Watch, Wish,
};
pub use source::{NextUpdate, Source};
