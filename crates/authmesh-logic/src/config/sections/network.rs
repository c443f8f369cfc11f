//! Reads how connections to instances are made and kept.

use crate::config::NetworkConfig;
use crate::config::reader::Reader;
use crate::config::values::put;

pub(in crate::config) fn read_network(mut reader: Reader<'_, '_>, network: &mut NetworkConfig) {
    put(&mut network.connect_timeout, reader.duration("connect_timeout"));
    put(&mut network.keep_alive, reader.duration("keep_alive"));
    put(&mut network.pool_max_idle, reader.count("pool_max_idle", 1..=100_000));
    put(&mut network.pool_max_age, reader.duration("pool_max_age"));
    reader.deny_rest();
}
