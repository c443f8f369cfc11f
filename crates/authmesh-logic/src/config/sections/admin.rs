//! Reads where the doors for people and for machines stand, and who may enter.

use alloc::vec::Vec;
use core::net::SocketAddr;

use super::words::is_local;
use crate::config::findings::Written;
use crate::config::reader::Reader;
use crate::config::tree::Value;
use crate::config::{AdminAccess, AdminConfig, Code, Problem, SecretReference};
use crate::discovery::Address;

pub(in crate::config) fn read_metrics(mut reader: Reader<'_, '_>) -> Option<SocketAddr> {
    let address = reader.tcp_address("address");
    let address = reader.required("address", address);
    if let Some(address) = &address {
        reader.listens(&address.with(Address::Tcp(address.value)), "`[metrics]`");
    }
    reader.deny_rest();
    address.map(|address| address.value)
}

pub(in crate::config) fn read_admin(mut reader: Reader<'_, '_>) -> Option<AdminConfig> {
    let socket = reader.socket_path("socket");
    let users = users(&mut reader);
    let address = reader.tcp_address("address");
    let token = reader.secret("token");
    let access = match (reader.has("socket"), reader.has("address")) {
        (true, true) => {
            let key = address.as_ref().map_or(reader.span(), |address| address.key);
            let sentence = "`[admin]` has either `socket` or `address`, not both";
            reader.report(Problem::new(Code::MoreThanOne, key, sentence));
            None
        }
        (false, false) => {
            let sentence = "`[admin]` needs `socket` or `address`";
            let problem = Problem::new(Code::NoneOfThem, reader.span(), sentence);
            reader.report(problem.help("socket = \"/run/authmesh/admin.sock\""));
            None
        }
        (true, false) => {
            if let Some(token) = &token {
                reader.no_effect(token.key, "token", "beside `socket`: the user id decides");
            }
            by_socket(&mut reader, socket, users)
        }
        (false, true) => {
            if let Some(users) = &users {
                reader.no_effect(users.key, "allow_uids", "beside `address`: the token decides");
            }
            by_loopback(&mut reader, address?, token)
        }
    };
    reader.deny_rest();
    access.map(|access| AdminConfig { access })
}

fn by_socket(
    reader: &mut Reader<'_, '_>,
    socket: Option<Written<&str>>,
    users: Option<Written<Vec<u32>>>,
) -> Option<AdminAccess> {
    let socket = socket?;
    reader.listens(&socket.with(Address::Unix(socket.value.into())), "`[admin]`");
    let allow_uids = users.map(|users| users.value).unwrap_or_default();
    Some(AdminAccess::Socket { path: socket.value.into(), allow_uids })
}

fn by_loopback(
    reader: &mut Reader<'_, '_>,
    address: Written<SocketAddr>,
    token: Option<Written<SecretReference>>,
) -> Option<AdminAccess> {
    let place = address.with(Address::Tcp(address.value));
    reader.listens(&place, "`[admin]`");
    if !is_local(&place.value) {
        let sentence = "admin must be a Unix socket or on loopback";
        reader.report(
            Problem::new(Code::AdminPublic, address.span, sentence)
                .note("who enters this door can stop the mesh and change who is trusted")
                .help("socket = \"/run/authmesh/admin.sock\""),
        );
    } else if !reader.has("token") {
        let sentence = "admin on TCP needs a token";
        reader.report(
            Problem::new(Code::AdminWithoutToken, address.span, sentence)
                .note("every program on this machine could enter")
                .help("token = { file = \"/run/secrets/admin\" }"),
        );
    }
    Some(AdminAccess::Loopback { address: address.value, token: token?.value })
}

fn users(reader: &mut Reader<'_, '_>) -> Option<Written<Vec<u32>>> {
    let nodes = reader.array("allow_uids")?;
    let mut users = Vec::new();
    for node in nodes.value {
        let Value::Integer(number) = node.value else {
            reader.wrong_type(node, "an integer");
            continue;
        };
        match u32::try_from(number) {
            Ok(user) => users.push(user),
            Err(_) => reader.report(Problem::new(
                Code::NotAllowed,
                node.span,
                "a user id is a number from 0 to 4294967295",
            )),
        }
    }
    Some(nodes.with(users))
}
