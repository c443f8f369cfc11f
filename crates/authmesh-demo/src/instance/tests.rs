//! Each fault as a client meets it, on real sockets.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use super::{Fault, Instance};
use crate::naive::Naive;
use crate::secret::Secret;
use crate::services::{Kind, System};
use crate::side::Side;
use crate::wire::{Answer, Connections};

struct Setting {
    system: Arc<System>,
    instance: Instance,
    client: Arc<Connections>,
}

fn setting(kind: Kind) -> Setting {
    let system = Arc::new(System::new(&[Secret::new("right")]));
    let instance = Instance::start(kind, 1, Arc::clone(&system), 1).unwrap();
    let client = Arc::new(Connections::to(instance.address()));
    Setting { system, instance, client }
}

fn post(path: &str, body: &Value) -> Request<Full<Bytes>> {
    Request::post(path)
        .header("host", "auth.demo")
        .header(Side::HEADER, "naive")
        .body(Full::from(body.to_string()))
        .unwrap()
}

fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(path).header("host", "auth.demo").body(Full::default()).unwrap()
}

fn refresh(token: &Secret) -> Request<Full<Bytes>> {
    post("/token", &json!({ "refresh_token": token.expose() }))
}

fn text(answer: &Answer, key: &str) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    body[key].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_right_password_gives_tokens_that_pass_and_a_wrong_one_a_401() {
    let Setting { system, instance, client } = setting(Kind::Login);
    let body = json!({ "user": "user-00", "password": "right" });
    let granted = client.exchange(post("/login", &body)).await.unwrap();
    assert_eq!(granted.status, 200);
    assert!(system.introspect(&text(&granted, "access_token")).is_some());
    let body = json!({ "user": "user-00", "password": "wrong" });
    assert_eq!(client.exchange(post("/login", &body)).await.unwrap().status, 401);
    assert_eq!(client.exchange(post("/token", &body)).await.unwrap().status, 404);
    assert_eq!(client.exchange(post("/login", &json!([]))).await.unwrap().status, 400);
    assert_eq!(system.counters.seen(Side::Naive).arrivals, 4);
    instance.stop();
    while client.exchange(get("/healthz")).await.is_ok() {}
}

#[tokio::test]
async fn a_dead_instance_refuses_and_comes_back_at_the_same_port() {
    let Setting { instance, client, .. } = setting(Kind::Token);
    assert_eq!(client.exchange(get("/healthz")).await.unwrap().status, 200);
    instance.suffer(Fault::Dead);
    while client.exchange(get("/healthz")).await.is_ok() {}
    client.exchange(get("/healthz")).await.unwrap_err();
    instance.suffer(Fault::None);
    while client.exchange(get("/healthz")).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_frozen_instance_reads_once_it_thaws_what_was_sent_meanwhile() {
    let Setting { system, instance, client } = setting(Kind::Token);
    assert_eq!(client.exchange(get("/healthz")).await.unwrap().status, 200);
    instance.suffer(Fault::Frozen);
    let token = system.log_in(0).refresh;
    // The first finds the kept connection, the second opens one that nobody accepts.
    for _ in 0..2 {
        let waiting = client.exchange(refresh(&token));
        tokio::time::timeout(Duration::from_millis(300), waiting).await.unwrap_err();
    }
    assert_eq!(system.counters.seen(Side::Naive).arrivals, 0);
    instance.suffer(Fault::None);
    while system.counters.seen(Side::Naive).arrivals < 2 {
        tokio::task::yield_now().await;
    }
    while system.counters.seen(Side::Naive).spent_twice < 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_slow_instance_makes_the_naive_client_spend_a_token_twice() {
    let system = Arc::new(System::new(&[]));
    let start = |number| Instance::start(Kind::Token, number, Arc::clone(&system), 1).unwrap();
    let instances = [start(1), start(2)];
    instances[0].suffer(Fault::Slow);
    let naive = Naive::new(&instances.each_ref().map(|instance| (Kind::Token, instance.address())));
    let (answer, attempts) = naive.send(Kind::Token, refresh(&system.log_in(0).refresh)).await;
    assert_eq!((answer.unwrap().status, attempts), (400, 4));
    assert_eq!(system.counters.seen(Side::Naive).spent_twice, 1);
}

#[tokio::test]
async fn an_erring_instance_does_the_work_and_errs_a_third_of_the_time() {
    let Setting { instance, client, .. } = setting(Kind::Token);
    instance.suffer(Fault::Errors);
    let mut errors = 0;
    for _ in 0..300 {
        let status = client.exchange(get("/jwks.json")).await.unwrap().status;
        errors += u32::from(status == 500);
    }
    assert!((60..140).contains(&errors), "{errors} of 300");
}

#[tokio::test]
async fn a_leaving_instance_finishes_what_it_began() {
    let Setting { system, instance, client } = setting(Kind::Token);
    instance.suffer(Fault::Slow);
    let token = system.log_in(0).refresh;
    let asking = Arc::clone(&client);
    let asked = tokio::spawn(async move { asking.exchange(refresh(&token)).await });
    while system.counters.seen(Side::Naive).arrivals < 1 {
        tokio::task::yield_now().await;
    }
    instance.suffer(Fault::Leaving);
    while client.exchange(get("/healthz")).await.is_ok() {}
    assert_eq!(asked.await.unwrap().unwrap().status, 200);
    instance.suffer(Fault::None);
    while client.exchange(get("/healthz")).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_naive_client_gives_up_after_three_retries() {
    let Setting { instance, .. } = setting(Kind::Session);
    let address = instance.address();
    let naive = Naive::new(&[(Kind::Session, address)]);
    let (answer, attempts) = naive.send(Kind::Session, get("/healthz")).await;
    assert_eq!((answer.unwrap().status, attempts), (200, 1));
    instance.suffer(Fault::Dead);
    let probe = Connections::to(address);
    while probe.exchange(get("/healthz")).await.is_ok() {}
    let (answer, attempts) = naive.send(Kind::Session, get("/healthz")).await;
    assert_eq!((answer.is_none(), attempts), (true, 4));
}
