//! The session store: who is logged in, shared by all instances as a real store would be.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// One login, until it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct SessionId(pub(crate) u64);

/// Every session that is open.
#[derive(Default)]
pub(crate) struct Sessions {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    next: u64,
    open: HashMap<SessionId, usize>,
    /// In the order they began; the oldest gives way when the store is full.
    order: VecDeque<SessionId>,
}

/// The most sessions at once.
const SESSIONS_MOST: usize = 100_000;

impl Sessions {
    /// Begins a session of an account.
    pub(crate) fn begin(&self, account: usize) -> SessionId {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.next += 1;
        let id = SessionId(held.next);
        held.open.insert(id, account);
        held.order.push_back(id);
        if held.order.len() > SESSIONS_MOST
            && let Some(oldest) = held.order.pop_front()
        {
            held.open.remove(&oldest);
        }
        id
    }

    /// The account whose session this is, if it is still open.
    pub(crate) fn account(&self, id: SessionId) -> Option<usize> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).open.get(&id).copied()
    }

    /// Ends a session; whoever holds tokens of it holds nothing.
    pub(crate) fn end(&self, id: SessionId) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).open.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_open_from_its_beginning_to_its_end() {
        let sessions = Sessions::default();
        let (one, two) = (sessions.begin(3), sessions.begin(4));
        assert_eq!((sessions.account(one), sessions.account(two)), (Some(3), Some(4)));
        sessions.end(one);
        assert_eq!((sessions.account(one), sessions.account(two)), (None, Some(4)));
    }

    #[test]
    fn the_store_is_bounded() {
        let sessions = Sessions::default();
        let first = sessions.begin(0);
        for _ in 0..SESSIONS_MOST {
            sessions.begin(0);
        }
        assert_eq!(sessions.account(first), None);
    }
}
