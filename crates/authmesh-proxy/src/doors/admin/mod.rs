//! The door for people: what the mesh is doing and why, and the few verbs that change it.

mod entry;

mod report;

mod events;

mod decide;

mod breakers;

mod explain;

mod config;

mod door;

pub(crate) use door::AdminDoor;
pub(crate) use entry::Entry;
