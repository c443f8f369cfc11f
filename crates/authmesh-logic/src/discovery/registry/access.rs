//! Who may ask what of a registry: one pure function of who asks, what for, and the rule in force.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::fmt;
use core::str::FromStr;

use crate::discovery::{Instance, ServiceName};
use crate::identity::SpiffeId;

/// Who asks, as the way by which it came proves it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Registrant {
    /// The program that holds the registry.
    Program,
    /// A process of this user on this machine: the system says so (`SO_PEERCRED`, unix(7)).
    User(u32),
    /// A workload, by the certificate it showed in a handshake of mutual TLS.
    Workload(SpiffeId),
    /// Somebody, and nothing proves who.
    Unproved,
}

/// What is asked of a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish<'a> {
    /// To see who is registered.
    Look,
    /// To register an instance of this service, to prove that it lives, or to take it out.
    Change(&'a ServiceName),
}

/// The rule: who may register which service.
///
/// | rule | who asks | may look | may change |
/// |---|---|---|---|
/// | any | the program itself | yes | yes |
/// | owner | the mesh's own user | yes | yes |
/// | owner | anybody else | no | no |
/// | users | a user that is named | yes | the services listed with it |
/// | users | anybody else | no | no |
/// | workloads | a workload that is named | yes | the services listed with it |
/// | workloads | anybody else | no | no |
/// | any workload | a workload | yes | yes |
/// | any workload | anybody else | no | no |
/// | anyone | anybody | yes | yes |
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Registrants {
    /// The user the mesh runs as, any service.
    #[default]
    Owner,
    /// These users, each the services listed with it.
    Users(BTreeMap<u32, Box<[ServiceName]>>),
    /// These workloads, each the services listed with it.
    Workloads(BTreeMap<SpiffeId, Box<[ServiceName]>>),
    /// Whoever proves a SPIFFE ID, any service.
    AnyWorkload,
    /// Whoever can ask at all, any service.
    Anyone,
}

impl Registrants {
    /// Whether the rule lets `who` do it; `own_user` is the one the mesh runs as.
    #[must_use]
    pub fn allow(&self, who: &Registrant, wish: Wish<'_>, own_user: u32) -> bool {
        match (self, who) {
            (_, Registrant::Program) | (Self::Anyone, _) => true,
            (Self::Owner, Registrant::User(user)) => *user == own_user,
            (Self::Users(named), Registrant::User(user)) => {
                wish.is_among(named.get(user).map(AsRef::as_ref))
            }
            (Self::Workloads(named), Registrant::Workload(id)) => {
                wish.is_among(named.get(id).map(AsRef::as_ref))
            }
            (Self::AnyWorkload, Registrant::Workload(_)) => true,
            (
                Self::Owner | Self::Users(_) | Self::Workloads(_) | Self::AnyWorkload,
                Registrant::User(_) | Registrant::Workload(_) | Registrant::Unproved,
            ) => false,
        }
    }
}

impl Wish<'_> {
    /// Whether it is granted to whom these services are listed with; to whom nobody named, nothing.
    fn is_among(self, services: Option<&[ServiceName]>) -> bool {
        services.is_some_and(|services| match self {
            Self::Look => true,
            Self::Change(service) => services.contains(service),
        })
    }
}

impl Registrant {
    /// Whether it may renew, replace or take out what `holder` registered: only its own. The
    /// program may all, as it holds the registry itself.
    #[must_use]
    pub fn may_change_what(&self, holder: &Self) -> bool {
        *self == Self::Program || self == holder
    }

    /// Makes facts say who was proved to register them. Only the program is taken at its word.
    pub(super) fn mark(&self, facts: &mut Instance) {
        match self {
            Self::Program => {}
            Self::Workload(id) => facts.identity = Some(id.clone()),
            Self::User(_) | Self::Unproved => facts.identity = None,
        }
    }
}

impl fmt::Display for Registrant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => formatter.write_str("program"),
            Self::User(user) => write!(formatter, "uid:{user}"),
            Self::Workload(id) => id.fmt(formatter),
            Self::Unproved => formatter.write_str("unproved"),
        }
    }
}

/// A text that names no registrant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistrantError;

impl FromStr for Registrant {
    type Err = RegistrantError;

    fn from_str(text: &str) -> Result<Self, RegistrantError> {
        match text {
            "program" => Ok(Self::Program),
            "unproved" => Ok(Self::Unproved),
            _ => {
                let user = text.strip_prefix("uid:").and_then(|user| user.parse().ok());
                let workload = || text.parse().ok().map(Self::Workload);
                user.map(Self::User).or_else(workload).ok_or(RegistrantError)
            }
        }
    }
}

impl fmt::Display for RegistrantError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .write_str("a registrant is `program`, `unproved`, `uid:` and a number, or a SPIFFE ID")
    }
}

impl core::error::Error for RegistrantError {}

#[cfg(test)]
mod tests {
    use super::Registrant::{Program, Unproved, User, Workload};
    use super::Registrants::{AnyWorkload, Anyone, Owner, Users, Workloads};
    use super::*;

    const OWN: u32 = 1000;

    fn workload(name: &str) -> Registrant {
        Workload(alloc::format!("spiffe://corp.example/{name}").parse().unwrap())
    }

    #[test]
    fn the_rule_holds_row_by_row() {
        let token: ServiceName = "token".parse().unwrap();
        let named = [(7, Box::from([token.clone()])), (8, Box::from([]))];
        let users = Users(BTreeMap::from(named));
        let named = ["a", "b"].map(|name| match workload(name) {
            Workload(id) => id,
            other => panic!("{other}"),
        });
        let [a, b] = named;
        let named = [(a, Box::from([token.clone()])), (b, Box::from([]))];
        let workloads = Workloads(BTreeMap::from(named));
        // rule, who, may look, may change `token`, may change `login`
        let table = [
            (&Owner, Program, true, true, true),
            (&Owner, User(OWN), true, true, true),
            (&Owner, User(7), false, false, false),
            (&Owner, User(0), false, false, false),
            (&Owner, Unproved, false, false, false),
            (&users, Program, true, true, true),
            (&users, User(7), true, true, false),
            (&users, User(8), true, false, false),
            (&users, User(OWN), false, false, false),
            (&users, User(0), false, false, false),
            (&users, Unproved, false, false, false),
            (&users, workload("a"), false, false, false),
            (&Owner, workload("a"), false, false, false),
            (&workloads, Program, true, true, true),
            (&workloads, workload("a"), true, true, false),
            (&workloads, workload("b"), true, false, false),
            (&workloads, workload("c"), false, false, false),
            (&workloads, User(OWN), false, false, false),
            (&workloads, Unproved, false, false, false),
            (&AnyWorkload, Program, true, true, true),
            (&AnyWorkload, workload("c"), true, true, true),
            (&AnyWorkload, User(OWN), false, false, false),
            (&AnyWorkload, Unproved, false, false, false),
            (&Anyone, Program, true, true, true),
            (&Anyone, User(9), true, true, true),
            (&Anyone, Unproved, true, true, true),
        ];
        let login = "login".parse().unwrap();
        for (rule, who, look, change, change_other) in table {
            let asked = [Wish::Look, Wish::Change(&token), Wish::Change(&login)];
            let allowed = asked.map(|wish| rule.allow(&who, wish, OWN));
            assert_eq!(allowed, [look, change, change_other], "{rule:?} {who}");
        }
        assert!(!Users(BTreeMap::new()).allow(&User(OWN), Wish::Look, OWN), "nobody is named");
    }

    #[test]
    fn what_one_registered_only_it_and_the_program_change() {
        let all = [Program, User(7), User(8), workload("a"), workload("b"), Unproved];
        for who in &all {
            for holder in &all {
                let expected = who == holder || *who == Program;
                assert_eq!(who.may_change_what(holder), expected, "{who} {holder}");
            }
        }
    }

    #[test]
    fn only_the_program_says_who_somebody_else_is() {
        let said: SpiffeId = "spiffe://corp.example/said".parse().unwrap();
        let address: crate::discovery::Address = "127.0.0.1:1".parse().unwrap();
        let facts = Instance { identity: Some(said.clone()), ..Instance::at(address) };
        let proved = "spiffe://corp.example/a".parse().unwrap();
        for (who, identity) in [
            (Program, Some(said)),
            (workload("a"), Some(proved)),
            (User(7), None),
            (Unproved, None),
        ] {
            let mut marked = facts.clone();
            who.mark(&mut marked);
            assert_eq!(marked.identity, identity, "{who}");
        }
    }

    #[test]
    fn a_registrant_is_read_back_from_its_text() {
        for who in [Program, User(0), User(u32::MAX), workload("a/b"), Unproved] {
            assert_eq!(alloc::format!("{who}").parse(), Ok(who));
        }
        for text in [
            "",
            "spiffe://",
            "spiffe://Corp/a",
            "uid:",
            "uid:-1",
            "uid:4294967296",
            "root",
            "Program",
        ] {
            assert_eq!(text.parse::<Registrant>(), Err(RegistrantError), "{text}");
        }
    }
}
