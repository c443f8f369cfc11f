//! The door for workloads: they register, prove that they live, and watch one another.

mod asker;
mod body;

mod facts;

mod view;

mod watching;

mod door;
#[cfg(test)]
mod tests;

pub(crate) use door::RegistryDoor;
