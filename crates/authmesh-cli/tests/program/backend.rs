//! A service to send requests to. It can be told to let requests wait.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// Answers every request with 200 and its own name, and closes the connection.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
}

/// A request that waits for its answer; it is given when this is dropped.
pub(crate) struct Waiting(#[expect(dead_code, reason = "dropping it is the answer")] Sender<()>);

impl Backend {
    pub(crate) fn named(name: &'static str) -> Self {
        Self::answering(move |stream| answer(stream, name))
    }

    /// A backend whose answer is the head of the request that came.
    pub(crate) fn echoing() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
                answer(&mut stream, &head.join("\n"));
            }
        });
        Self { address }
    }

    /// A backend that hands each request out and answers when the receiver lets it go.
    pub(crate) fn waiting(name: &'static str) -> (Self, Receiver<Waiting>) {
        let (arrived, arrivals) = channel();
        let backend = Self::answering(move |stream| {
            let (release, released) = channel();
            if arrived.send(Waiting(release)).is_ok() {
                // An error is the release: the other end was dropped.
                let _ = released.recv();
            }
            answer(stream, name);
        });
        (backend, arrivals)
    }

    fn answering(answer: impl Fn(&mut TcpStream) + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, answer) = (stream.unwrap(), answer.clone());
                thread::spawn(move || {
                    if read_head(&stream) {
                        answer(&mut stream);
                    }
                });
            }
        });
        Self { address }
    }
}

fn read_head(stream: &TcpStream) -> bool {
    let lines = BufReader::new(stream).lines();
    lines.map_while(Result::ok).any(|line| line.is_empty())
}

fn answer(stream: &mut TcpStream, name: &str) {
    let length = name.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    // Whoever asked may have left.
    let _ = stream.write_all(format!("{head}{name}").as_bytes());
}
