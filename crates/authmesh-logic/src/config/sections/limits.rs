//! Reads the bounds on what a client may ask for.

use crate::config::reader::Reader;
use crate::config::values::put;
use crate::config::{Code, Limits, Problem};

/// The smallest bound on a request head: less than the buffer of an HTTP/1 connection bounds
/// nothing.
const LEAST_HEAD: u64 = 8 * 1024;
const MOST_HEAD: u64 = 1024 * 1024;
const MOST_TARGET: u64 = 64 * 1024;

pub(in crate::config) fn read_limits(mut reader: Reader<'_, '_>) -> Limits {
    let mut limits = Limits::default();
    let header = reader.duration_or_off("header_timeout");
    let idle = reader.duration_or_off("idle_timeout");
    put(&mut limits.header_timeout, header);
    put(&mut limits.idle_timeout, idle);
    put(&mut limits.body_idle_timeout, reader.duration_or_off("body_idle_timeout"));
    let bytes = reader.size("header_bytes", LEAST_HEAD..=MOST_HEAD);
    put(&mut limits.header_bytes, bytes.map(|size| size.with(narrowed(size.value))));
    put(&mut limits.headers, reader.count("headers", 1..=1_000));
    let bytes = reader.size("target_bytes", 128..=MOST_TARGET);
    put(&mut limits.target_bytes, bytes.map(|size| size.with(narrowed(size.value))));
    put(&mut limits.body, reader.size_or_off("body", 1..=u64::MAX));
    put(&mut limits.connections, reader.count_or_off("connections", 1..=u32::MAX));
    put(&mut limits.streams, reader.count("streams", 1..=10_000));
    put(&mut limits.drain_timeout, reader.duration("drain_timeout"));
    // Told at what is written: the other side may be a default.
    let place = header.map(|header| header.whole()).or(idle.map(|idle| idle.whole()));
    if let (Some(head), Some(idle), Some(place)) =
        (limits.header_timeout, limits.idle_timeout, place)
        && head > idle
    {
        let sentence = "`header_timeout` is longer than `idle_timeout`";
        reader.report(
            Problem::new(Code::HeaderOverIdle, place, sentence)
                .note("the connection is closed as idle before its request head may be late"),
        );
    }
    reader.deny_rest();
    limits
}

/// A size that its range keeps below 4 GiB.
fn narrowed(size: u64) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}
