//! Notes where each access rule and each of their tests is written, so that a decision can name it.

use authmesh_logic::config::{MeshConfig, Origin, Outside, Span};

use super::source::Source;

pub(super) fn name_origins(config: &mut MeshConfig, outside: &Outside, sources: &[Source]) {
    let origin = |span: &Span| {
        let source = sources.get(usize::from(span.file))?;
        Some((source.name().into(), source.position(span.start).0))
    };
    for (policy, span) in config.security.policies.iter_mut().zip(&outside.policies) {
        policy.origin = Origin(origin(span));
    }
    for (test, span) in config.security.policy_tests.iter_mut().zip(&outside.policy_tests) {
        test.origin = Origin(origin(span));
    }
}
