//! Discovery: finds instances.

pub use authmesh_logic::discovery::{
    Address, AddressError, Administration, Instance, InstanceId, Lease, ServiceName,
    ServiceNameError, Update, View, Weight,
};
