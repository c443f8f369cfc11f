//! Spreads requests over two directory servers, the second at half the first's share.
use authmesh::discovery::Weight;
use authmesh::load_balancer::{LoadBalancer, Policy};

pub(crate) fn main() -> Result<(), &'static str> {
    let directory = vec![("ldap-1:636", Weight::ONE), ("ldap-2:636", Weight::hundredths(50))];
    let balancer = LoadBalancer::new(Policy::default(), directory);
    let one = balancer.pick().ok_or("no endpoint")?;
    let other = balancer.pick().ok_or("no endpoint")?; // the first is busy: this is the second
    assert_ne!(*one, *other);
    drop(one); // its request ended
    let in_flight: u64 =
        balancer.metrics().endpoints.iter().map(|endpoint| endpoint.in_flight).sum();
    assert_eq!(1_u64, in_flight);
    Ok(())
}
