//! Who has an account, and whether a password is theirs.

use argon2::{Algorithm, Argon2, Params, Version};

use crate::secret::{Secret, are_equal, random_bytes};

/// The accounts, as a directory would hold them: salted hashes, never a password.
pub(crate) struct Accounts {
    known: Vec<Hashed>,
    /// Checked for users nobody knows, so that they take as long as those somebody does.
    decoy: Hashed,
}

struct Hashed {
    salt: [u8; 16],
    hash: [u8; 32],
}

/// How many accounts there are.
pub(crate) const ACCOUNTS: usize = 32;

/// The cost of one password: memory in KiB, passes, lanes (RFC 9106).
const COST: (u32, u32, u32) = (4 * 1024, 1, 1);

/// The name of an account by its number.
pub(crate) fn account_name(number: usize) -> String {
    format!("user-{number:02}")
}

impl Accounts {
    /// Opens an account for each of these passwords. Takes a hash for each.
    pub(crate) fn open(passwords: &[Secret]) -> Self {
        Self {
            known: passwords.iter().map(Hashed::of).collect(),
            decoy: Hashed::of(&Secret::random()),
        }
    }

    /// The number of the account whose name and password these are. Takes one hash, whoever asks.
    pub(crate) fn check(&self, name: &str, password: &Secret) -> Option<usize> {
        let number = (0..self.known.len()).find(|number| account_name(*number) == name);
        let hashed = number.and_then(|number| self.known.get(number)).unwrap_or(&self.decoy);
        let is_right = are_equal(&hash(password, &hashed.salt), &hashed.hash);
        number.filter(|_| is_right)
    }
}

impl Hashed {
    fn of(password: &Secret) -> Self {
        let salt = random_bytes();
        Self { salt, hash: hash(password, &salt) }
    }
}

fn hash(password: &Secret, salt: &[u8; 16]) -> [u8; 32] {
    let mut hash = [0; 32];
    let (memory, passes, lanes) = COST;
    #[expect(clippy::expect_used, reason = "cost, salt and length are constants within bounds")]
    Params::new(memory, passes, lanes, Some(hash.len()))
        .and_then(|params| {
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
                password.expose().as_bytes(),
                salt,
                &mut hash,
            )
        })
        .expect("the cost is lawful");
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_of_the_right_account_passes() {
        let passwords = [Secret::new("one"), Secret::new("two")];
        let accounts = Accounts::open(&passwords);
        assert_eq!(accounts.check("user-00", &passwords[0]), Some(0));
        assert_eq!(accounts.check("user-01", &passwords[1]), Some(1));
        assert_eq!(accounts.check("user-00", &passwords[1]), None);
        assert_eq!(accounts.check("user-02", &passwords[0]), None);
    }
}
