//! A source that never changes: the instances a program or a configuration names.

use std::future::pending;

use super::source::{NextUpdate, Source};
use super::{Address, Instance, Update, View};

/// A fixed list of instances.
#[derive(Clone, Debug)]
pub struct Fixed {
    unsaid: Option<View>,
}

impl Fixed {
    /// The source of these `instances`.
    ///
    /// Of two with one identifier the higher incarnation stays; of equals, the first.
    #[must_use]
    pub fn new(instances: impl IntoIterator<Item = Instance>) -> Self {
        Self { unsaid: Some(View::of(1, instances)) }
    }

    /// The source of one instance for each of these `addresses`.
    #[must_use]
    pub fn at(addresses: impl IntoIterator<Item = Address>) -> Self {
        Self::new(addresses.into_iter().map(Instance::at))
    }
}

impl Source for Fixed {
    fn next(&mut self) -> NextUpdate<'_> {
        Box::pin(async {
            match self.unsaid.take() {
                Some(view) => Update::View(view),
                None => pending().await,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn it_speaks_once_and_then_is_silent() {
        let address: Address = "127.0.0.1:80".parse().unwrap();
        let mut source: Box<dyn Source> = Box::new(Fixed::at([address.clone()]));
        let mut context = Context::from_waker(Waker::noop());

        drop(source.next());
        let first = source.next().as_mut().poll(&mut context);
        let view = View::of(1, [Instance::at(address)]);
        assert_eq!(first, Poll::Ready(Update::View(view)));
        assert_eq!(source.next().as_mut().poll(&mut context), Poll::Pending);
    }
}
