//! Finds instances: what they are, and who is registered.

mod address;
mod instance;

pub mod registry;

pub use address::{Address, AddressError};
pub use instance::{
    Administration, Instance, InstanceId, Lease, ServiceName, ServiceNameError, Update, View,
    Weight,
};
