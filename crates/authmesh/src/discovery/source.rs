//! Where updates come from: the contract of every source.

use std::pin::Pin;

use super::Update;

/// The wait for a source's next update.
pub type NextUpdate<'a> = Pin<Box<dyn Future<Output = Update> + Send + 'a>>;

/// Says what is known of one service, and says it again when that changes.
///
/// Each update replaces the one before it, so a burst of changes may come as one update: the
/// newest. Nothing is missed by that: the last update is always what the source knows.
pub trait Source: Send {
    /// Waits until there is something newer than what was last handed out, and hands it out.
    ///
    /// The first call ends as soon as anything is known. After the last update of a source that
    /// can change no more, it waits for ever. Cancel-safe: an update that was not handed out is
    /// not lost.
    fn next(&mut self) -> NextUpdate<'_>;
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn next(&mut self) -> NextUpdate<'_> {
        (**self).next()
    }
}
