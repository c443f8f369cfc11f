//! Who may ask what of a registry: one pure function of who asks, what for, and the rule in force.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::fmt;
use core::str::FromStr;

use crate::discovery::ServiceName;

/// Who asks, as the way by which it came proves it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Registrant {
    /// The program that holds the registry.
    Program,
    /// A process of this user on this machine: the system says so (`SO_PEERCRED`, unix(7)).
    User(u32),
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
/// | anyone | anybody | yes | yes |
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Registrants {
    /// The user the mesh runs as, any service.
    #[default]
    Owner,
    /// These users, each the services listed with it.
    Users(BTreeMap<u32, Box<[ServiceName]>>),
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
                named.get(user).is_some_and(|services| match wish {
                    Wish::Look => true,
                    Wish::Change(service) => services.contains(service),
                })
            }
            (Self::Owner | Self::Users(_), Registrant::Unproved) => false,
        }
    }
}

impl Registrant {
    /// Whether it may renew, replace or take out what `holder` registered: only its own. The
    /// program may all, as it holds the registry itself.
    #[must_use]
    pub fn may_change_what(&self, holder: &Self) -> bool {
        *self == Self::Program || self == holder
    }
}

impl fmt::Display for Registrant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => formatter.write_str("program"),
            Self::User(user) => write!(formatter, "uid:{user}"),
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
                user.map(Self::User).ok_or(RegistrantError)
            }
        }
    }
}

impl fmt::Display for RegistrantError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a registrant is `program`, `unproved` or `uid:` and a number")
    }
}

impl core::error::Error for RegistrantError {}

#[cfg(test)]
mod tests {
    use super::Registrant::{Program, Unproved, User};
    use super::Registrants::{Anyone, Owner, Users};
    use super::*;

    const OWN: u32 = 1000;

    #[test]
    fn the_rule_holds_row_by_row() {
        let token: ServiceName = "token".parse().unwrap();
        let named = [(7, Box::from([token.clone()])), (8, Box::from([]))];
        let users = Users(BTreeMap::from(named));
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
        let all = [Program, User(7), User(8), Unproved];
        for who in &all {
            for holder in &all {
                let expected = who == holder || *who == Program;
                assert_eq!(who.may_change_what(holder), expected, "{who} {holder}");
            }
        }
    }

    #[test]
    fn a_registrant_is_read_back_from_its_text() {
        for who in [Program, User(0), User(u32::MAX), Unproved] {
            assert_eq!(alloc::format!("{who}").parse(), Ok(who));
        }
        for text in ["", "uid:", "uid:-1", "uid:4294967296", "root", "Program"] {
            assert_eq!(text.parse::<Registrant>(), Err(RegistrantError), "{text}");
        }
    }
}
