//! `watch`: tells what happens in the running mesh, a line for each event.

use http::StatusCode;
use http_body_util::BodyExt;
use serde_json::Value;

use crate::admin_client::{AdminClient, Answer, refusal};
use crate::arguments::Asking;
use crate::ending::{Ending, Failure};
use crate::{print, show};

/// The longest line of a stream of events, in bytes.
const LONGEST_LINE: usize = 1024 * 1024;

/// Tells events until the mesh ends. With JSON, each line is one object.
pub(crate) async fn watch(asking: &Asking) -> Result<Ending, Failure> {
    let client = AdminClient::new(asking)?;
    let response = client.open("/v1/events").await?;
    let status = response.status();
    let mut body = response.into_body();
    if status != StatusCode::OK {
        let bytes = body.collect().await.map_err(|error| client.unreached(error))?.to_bytes();
        let value = serde_json::from_slice(&bytes).unwrap_or_default();
        return Err(refusal(&Answer { status, value }));
    }
    print::words("watching");
    let mut lines = Lines::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| client.unreached(error))?;
        let Some(bytes) = frame.data_ref() else { continue };
        for event in lines.take(bytes) {
            let line = match asking.output.is_json() {
                true => event.to_string(),
                false => show::event(&event),
            };
            print::asked(&line);
        }
    }
    print::words("the mesh ended");
    Ok(Ending::Done)
}

/// Cuts what comes into lines and keeps the events in them.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) -> Vec<Value> {
        self.rest.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let event = line.strip_prefix(b"data: ").map(serde_json::from_slice);
            events.extend(event.and_then(Result::ok));
        }
        if self.rest.len() > LONGEST_LINE {
            self.rest.clear();
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_comes_in_pieces_is_whole() {
        let mut lines = Lines::default();
        assert!(lines.take(b": listening\n\nevent: left\ndata: {\"ki").is_empty());
        assert_eq!(lines.take(b"nd\":\"left\"}\n\n"), [serde_json::json!({ "kind": "left" })]);
    }
}
