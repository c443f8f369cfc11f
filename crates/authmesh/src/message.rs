//! What the layers ask of a request and of its answer, in whichever form these travel: as values of
//! the HTTP library, or as bytes.

use std::future::Future;

use http::{Request, Response};
use hyper::body::Incoming;

use crate::answer_body::AnswerBody;
use crate::error::BoxError;
use crate::raw_request::RawRequest;
use crate::request_body::{self, RequestBody};
use crate::spare::Spare;
use crate::transport::{Lent, Passage, RawAnswer, Transport, Unanswered};

/// A request on its way through the layers.
pub(crate) trait Outbound: Send {
    type Answer: Answer + Send;
    /// What is kept of it to send it again.
    type Spare: Send;

    /// Has it noted when the last of it was handed to its connection.
    fn note_end(&mut self) -> request_body::Sent;

    /// What a further attempt needs, if there can be one.
    fn spare(&self) -> Option<Self::Spare>;

    /// Puts the request into its place again.
    fn renew(&mut self, spare: Self::Spare);

    /// Sends it to one endpoint. A request that was not sent is left in its place.
    fn send(
        &mut self,
        transport: &Transport,
        passage: Passage,
    ) -> impl Future<Output = Result<Self::Answer, Unanswered>> + Send;
}

/// An answer, its body still to come.
pub(crate) trait Answer {
    fn status(&self) -> u16;

    /// The value of the first field with this lower-case name.
    fn field(&self, name: &str) -> Option<&[u8]>;

    /// Reads the whole body ahead, to be delivered all the same; `None` if it is longer than `most`
    /// bytes.
    fn read_ahead(
        &mut self,
        most: usize,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, BoxError>> + Send;
}

impl Outbound for Request<RequestBody> {
    type Answer = (Response<AnswerBody>, Lent);
    type Spare = Spare;

    fn note_end(&mut self) -> request_body::Sent {
        self.body_mut().note_end()
    }

    fn spare(&self) -> Option<Spare> {
        Spare::of(self)
    }

    fn renew(&mut self, spare: Spare) {
        *self = spare.into_request();
    }

    async fn send(
        &mut self,
        transport: &Transport,
        passage: Passage,
    ) -> Result<Self::Answer, Unanswered> {
        let sent = transport.send(passage, self).await;
        sent.map(|(response, lent): (Response<Incoming>, Lent)| {
            (response.map(AnswerBody::new), lent)
        })
    }
}

impl Answer for (Response<AnswerBody>, Lent) {
    fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    fn field(&self, name: &str) -> Option<&[u8]> {
        self.0.headers().get(name).map(|value| value.as_bytes())
    }

    async fn read_ahead(&mut self, most: usize) -> Result<Option<Vec<u8>>, BoxError> {
        Ok(self.0.body_mut().read_ahead(most).await?)
    }
}

/// Bytes stay where they are, so they can be sent again without a copy.
impl Outbound for &RawRequest {
    type Answer = RawAnswer;
    type Spare = ();

    fn note_end(&mut self) -> request_body::Sent {
        request_body::Sent::AtOnce
    }

    fn spare(&self) -> Option<()> {
        Some(())
    }

    fn renew(&mut self, (): ()) {}

    async fn send(
        &mut self,
        transport: &Transport,
        passage: Passage,
    ) -> Result<RawAnswer, Unanswered> {
        transport.send_raw(passage, self).await
    }
}

impl Answer for RawAnswer {
    fn status(&self) -> u16 {
        self.status()
    }

    fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields().named(name)
    }

    async fn read_ahead(&mut self, most: usize) -> Result<Option<Vec<u8>>, BoxError> {
        Ok(self.read_ahead(most).await?)
    }
}
